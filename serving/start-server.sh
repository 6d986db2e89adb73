#!/bin/bash
# Process 1 of TF-Serving's container. Arguments are appended to the flags below and override them.
set -u

flags=(
  --port=8500
  --rest_api_port=8501
  --monitoring_config_file=/etc/tf-serving/monitoring.config

  # A pushed version is detected within 2 s, a model or label added to the file within 10 s.
  --model_config_file=/models/models.config
  --file_system_poll_wait_seconds=2
  --model_config_file_poll_wait_seconds=10
  # Labels are checked before the first model is loaded; without this flag the server would not start.
  --allow_version_labels_for_unavailable_models=true
  # Versions are pushed atomically, so retries rarely help: report a failed load after 10 s, not after 5 minutes.
  --max_num_load_retries=2
  --load_retry_interval_micros=5000000

  # No --enable_batching: on CPUs it gains nothing and costs callers a sixth (docs/performance.md). With an accelerator,
  # add --enable_batching=true --batching_parameters_file=/etc/tf-serving/batching.config

  # A call holds a thread until it is answered; calls above the limit are refused, not queued (default: 4 per core). A
  # gateway sends up to MAX_IN_FLIGHT=64 calls at once (128 with HEDGE_AFTER). 256 is enough for three gateways and
  # status calls. The gateway retries a refused call on another server, or after a short pause.
  --grpc_max_threads=256
  # Close connections after 5 minutes, so that clients discover new servers: most resolve DNS only when they reconnect.
  # The gateway sends keepalive pings at most every 5 s. gRPC's default closes the connection of a client that pings
  # more often than every 5 minutes.
  --grpc_channel_arguments=grpc.max_connection_age_ms=300000,grpc.http2.min_ping_interval_without_data_ms=4000
)

# The server does not handle SIGTERM, and the kernel does not deliver unhandled signals to process 1. So the shell is
# process 1: when it exits, the kernel kills the server too.
trap 'exit 0' TERM INT
/usr/bin/tensorflow_model_server "${flags[@]}" "$@" &
wait $!
