"""A function that only makes a login's requests to AWS, with boto3. The requests are in the file that
BENCH_REQUESTS names."""

import http.client
import json
import os

import boto3

dynamodb = boto3.client("dynamodb")
with open(os.environ["BENCH_REQUESTS"]) as file:
    requests = json.load(file)


def handle(_event):
    read = dynamodb.batch_get_item(**requests["BatchGetItem"])
    return {"statusCode": 200, "body": json.dumps(read["Responses"])}


# The runtime API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def call(method, path, body=None):
    api.request(method, "/2018-06-01/runtime" + path, body)
    answer = api.getresponse()
    return answer.headers, answer.read()


while True:
    headers, event = call("GET", "/invocation/next")
    invocation = "/invocation/" + headers["lambda-runtime-aws-request-id"]
    try:
        answer = handle(json.loads(event))
        call("POST", invocation + "/response", json.dumps(answer, separators=(",", ":")))
    except Exception as error:
        call("POST", invocation + "/error", json.dumps({"errorMessage": str(error)}))
