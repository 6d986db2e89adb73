"""Serves an S3 that checks signatures and policies (moto), until its input closes.

Reads one line of JSON: {"files": {"bucket/key": path}, "readable": ["bucket/*"], "writable": ["bucket"], "unchecked": 0}. Prints one
line of JSON with its port and the keys of a user and the name of a role. Both may read what is `readable`, and list, read, write and
remove in the buckets that are `writable`.
"""

import json
import logging
import os
import sys

request = json.loads(sys.stdin.readline())
files, readable, writable = request["files"], request["readable"], request["writable"]
buckets = sorted({name.split("/", 1)[0] for name in files} | set(writable))
# moto lets so many calls through before it checks signatures: those that fill it.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = str(5 + len(buckets) + len(files) + request["unchecked"])

import boto3  # noqa: E402
import flask  # noqa: E402
from moto.s3.responses import S3Response  # noqa: E402
from moto.server import ThreadedMotoServer  # noqa: E402



def check_as_sent(self, *arguments):
    """Checks the signature of the path and query that were sent. moto takes the decoded ones."""
    decoded, self.uri = self.uri, flask.request.environ["RAW_URI"]
    try:
        check_decoded(self, *arguments)
    finally:
        self.uri = decoded


check_decoded = S3Response._authenticate_and_authorize_action
S3Response._authenticate_and_authorize_action = check_as_sent

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
_, port = server.get_host_and_port()
session = boto3.Session("any", "any", region_name="us-east-1")
iam, s3 = (session.client(name, endpoint_url=f"http://127.0.0.1:{port}") for name in ("iam", "s3"))

statements = [
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [f"arn:aws:s3:::{name}" for name in readable]},
    {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        "Resource": [f"arn:aws:s3:::{name}/*" for name in writable],
    },
    {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": [f"arn:aws:s3:::{name}" for name in writable]},
]
policy = json.dumps({"Version": "2012-10-17", "Statement": [each for each in statements if each["Resource"]]})
trust = json.dumps({"Version": "2012-10-17", "Statement": []})
iam.create_user(UserName="gateway")
iam.put_user_policy(UserName="gateway", PolicyName="read", PolicyDocument=policy)
key = iam.create_access_key(UserName="gateway")["AccessKey"]
role = iam.create_role(RoleName="gateway", AssumeRolePolicyDocument=trust)["Role"]
iam.put_role_policy(RoleName="gateway", PolicyName="read", PolicyDocument=policy)
for bucket in buckets:
    s3.create_bucket(Bucket=bucket)
for name, path in files.items():
    bucket, object_key = name.split("/", 1)
    with open(path, "rb") as file:
        s3.put_object(Bucket=bucket, Key=object_key, Body=file)

found = {"port": port, "keyId": key["AccessKeyId"], "secret": key["SecretAccessKey"], "role": role["Arn"]}
print(json.dumps(found), flush=True)
sys.stdin.read()
server.stop()
