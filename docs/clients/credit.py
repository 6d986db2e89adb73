"""Asks whether a client gets a credit: python docs/clients/credit.py 'http://localhost:9696/predict?model=credit'."""
import sys

import requests

client = {"job": "unknown", "duration": 270, "poutcome": "failure"}
prediction = requests.post(sys.argv[1], json=client, timeout=30).json()
print(prediction["credit"], round(prediction["credit_probability"], 3))
