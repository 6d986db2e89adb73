"""Asks how long a ride takes: python docs/clients/ride_duration.py 'http://localhost:9696/predict?model=ride-duration'."""
import sys

import requests

event = {"ride_id": "ride_xyz", "ride": {"PULocationID": 100, "DOLocationID": 102, "trip_distance": 30}}
prediction = requests.post(sys.argv[1], json=event, timeout=30).json()
print(prediction["ride_id"], round(prediction["ride_duration"], 1), "minutes, version", prediction["model_version"])
