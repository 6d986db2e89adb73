/** A gateway in front of a clothing model that answers at once, for all tests of a file. */
import assert from 'node:assert/strict';
import { after, before, type TestContext } from 'node:test';
import { type RunningGateway, startGateway } from './gateway.ts';
import { type ModelServer, startClothingModel } from './model-server.ts';
import { modelsFolder } from './models.ts';

/** Starts it before the tests and stops it after them, which must end with exit code 0. The members are there while tests run. */
export function useClothingGateway(): { readonly gateway: RunningGateway; readonly model: ModelServer } {
  let model: ModelServer;
  let gateway: RunningGateway;
  before(async (t) => {
    model = await startClothingModel();
    gateway = await startGateway({ TF_SERVING_HOST: model.target, MODELS: await modelsFolder(t as TestContext) });
    await gateway.ready();
  });
  after(async () => {
    const code = await gateway.stop();
    model.close();
    assert.equal(code, 0);
  });
  return {
    get gateway() {
      return gateway;
    },
    get model() {
      return model;
    },
  };
}
