"""Asks whether a customer will leave: python docs/clients/churn.py 'http://localhost:9696/predict?model=churn'."""
import sys

import requests

customer = {
    "gender": "female", "seniorcitizen": 0, "partner": "yes", "dependents": "no", "tenure": 24, "monthlycharges": 29.85,
    "phoneservice": "no", "multiplelines": "no phone service", "internetservice": "dsl", "onlinesecurity": "no",
    "onlinebackup": "yes", "deviceprotection": "no", "techsupport": "no", "streamingtv": "no", "streamingmovies": "no",
    "contract": "month-to-month", "paperlessbilling": "yes", "paymentmethod": "electronic check",
}  # fmt: skip
prediction = requests.post(sys.argv[1], json=customer, timeout=30).json()
print("send a promotion to the customer" if prediction["churn"] else "stays", prediction["churn_probability"])
