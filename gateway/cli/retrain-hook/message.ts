/** The message of Alertmanager's webhook, version 4: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
import { z } from 'zod';

const texts = z.record(z.string(), z.string());

const alert = z.looseObject({
  status: z.enum(['firing', 'resolved']),
  labels: texts,
  annotations: texts.default({}),
  startsAt: z.iso.datetime({ offset: true }),
  /** The same for the same labels. */
  fingerprint: z.string().min(1),
});

const message = z.looseObject({ version: z.literal('4'), alerts: z.array(alert) });

export type Alert = z.output<typeof alert>;

/** The alerts of a message, or what is wrong with it. Members that this command does not use are kept. */
export function readAlerts(body: unknown): readonly Alert[] | { readonly mistake: string } {
  const parsed = message.safeParse(body);
  if (parsed.success) return parsed.data.alerts;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') || 'the body';
  return { mistake: `${where}: ${issue?.message}; needs a message of Alertmanager's webhook, version 4` };
}

/** Alerts in the form of a message, for the command's file. */
export function messageOf(alerts: readonly Alert[]): object {
  return { version: '4', status: 'firing', alerts };
}

/** The name of an alert: Prometheus puts it into a label. */
export function nameOf({ labels }: Alert): string {
  return labels.alertname ?? '';
}
