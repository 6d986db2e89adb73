import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { ConfigError } from '../config/read.ts';
import { addSettings, givenSettings } from './flags.ts';
import { addKServeArguments, settingsOfKServe } from './kserve.ts';

/** The settings of the arguments, as `serve` gets them. */
function settings(...args: readonly string[]): Readonly<Record<string, string>> {
  const command = addKServeArguments(addSettings(new Command('serve')));
  command.parse(args, { from: 'user' });
  const given = Object.entries(settingsOfKServe(givenSettings(command)));
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/** What KServe appends to the arguments where an InferenceService names no model. */
const APPENDED = ['--model_name', 'photos', '--predictor_host', 'photos-predictor.shop', '--http_port', '8080'];

test("KServe's arguments are settings of the gateway", () => {
  const { 'model-name': model, 'tf-serving-host': host, port } = settings(...APPENDED, '--workers', '2');
  assert.deepEqual([model, host, port], ['photos', 'photos-predictor.shop:80', '8080']);
});

test('a host with a port keeps it, and flags of the gateway override', () => {
  const own = settings(...APPENDED, '--predictor_host', 'a.b:8500', '--port', '9000', '--model-name', 'other');
  assert.deepEqual([own['model-name'], own['tf-serving-host'], own.port], ['other', 'a.b:8500', '9000']);
});

test('the protocol of the predictor is that of the model servers, where it is called by gRPC', () => {
  for (const [given, wanted] of [
    ['v1', 'tf-serving'],
    ['grpc-v2', 'open-inference'],
  ] as const) {
    assert.equal(settings(...APPENDED, '--predictor_protocol', given)['backend-protocol'], wanted);
  }
  assert.throws(() => settings(...APPENDED, '--predictor_protocol', 'v2'), ConfigError);
});

test('without arguments nothing is set', () => {
  assert.deepEqual(settings(), {});
});
