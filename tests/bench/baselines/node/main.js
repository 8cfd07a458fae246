// A function that only makes a login's requests to AWS, with the SDK for JavaScript. The requests are
// in the file that BENCH_REQUESTS names.

import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { BatchGetItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';

const dynamodb = new DynamoDBClient({});
const requests = JSON.parse(readFileSync(process.env.BENCH_REQUESTS, 'utf8'));

async function handle() {
  const read = await dynamodb.send(new BatchGetItemCommand(requests.BatchGetItem));
  return { statusCode: 200, body: JSON.stringify(read.Responses) };
}

// The runtime API: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
function call(method, path, body = '') {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': Buffer.byteLength(body) };
    const sent = request({ agent, host, port, method, headers, path: `/2018-06-01/runtime${path}` }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => resolve([answer.headers, Buffer.concat(parts).toString()]));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

for (;;) {
  const [headers, event] = await call('GET', '/invocation/next');
  const id = headers['lambda-runtime-aws-request-id'];
  try {
    const answer = await handle(JSON.parse(event));
    await call('POST', `/invocation/${id}/response`, JSON.stringify(answer));
  } catch (error) {
    await call('POST', `/invocation/${id}/error`, JSON.stringify({ errorMessage: String(error) }));
  }
}
