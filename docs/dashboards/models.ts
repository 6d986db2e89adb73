/** Which versions answer, and whether they may. */
import type { Dashboard } from './dashboard.ts';

const MODEL = 'namespace=~"$namespace", model=~"$model"';
export const MODELS: Dashboard = {
  name: 'models',
  title: 'Models and versions',
  description: 'Which versions answer, and whether they may.',
  variables: [
    {
      name: 'model',
      label: 'Model',
      values: 'label_values(tensorgate_model_ready{namespace=~"$namespace"}, model)',
    },
  ],
  rows: [
    {
      title: 'State',
      panels: [
        {
          title: 'Models that are ready, on the share of the gateways',
          description: '1: on all. Below: a gateway has a reason, which GET /health/ready tells.',
          as: 'stat',
          unit: 'percentunit',
          max: 1,
          queries: { '{{model}}': `avg by (model) (tensorgate_model_ready{${MODEL}})` },
        },
        {
          title: 'Version in use for requests that name none, by gateway',
          description: 'A push moves all gateways within seconds. Lines that stay apart: a server has not loaded it.',
          unit: 'none',
          queries: { '{{model}} on {{pod}}': `max by (model, pod) (tensorgate_model_version{${MODEL}})` },
        },
        {
          title: 'Parity with training, by model',
          description:
            'proven: the same tensors and scores. unproven: the model has no parity images. differing: it is refused.',
          as: 'table',
          unit: 'none',
          queries: { parity: `max by (model, state) (tensorgate_model_parity{${MODEL}}) == 1` },
        },
      ],
    },
  ],
};
