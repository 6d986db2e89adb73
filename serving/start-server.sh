#!/bin/bash
# Process 1 of TF-Serving's container. Arguments are added to the flags below and win over them.
set -u

flags=(
  --port=8500
  --rest_api_port=8501
  --monitoring_config_file=/etc/tf-serving/monitoring.config

  # A pushed version answers within 2 s, a model or label that was added to the file within 10 s.
  --model_config_file=/models/models.config
  --file_system_poll_wait_seconds=2
  --model_config_file_poll_wait_seconds=10
  # Labels are read before the first model is loaded, and would stop the start.
  --allow_version_labels_for_unavailable_models=true
  # Versions are pushed whole, so a load that failed hardly gets better: it is reported after 10 s, not after 5 minutes.
  --max_num_load_retries=2
  --load_retry_interval_micros=5000000

  # No --enable_batching: on CPUs it wins nothing and costs callers a sixth (docs/performance.md). An accelerator wants
  # it: add --enable_batching=true --batching_parameters_file=/etc/tf-serving/batching.config

  # A call holds a thread until it is answered, and one too many is refused, not queued (default: 4 a core). The gateway
  # sends up to MAX_IN_FLIGHT=64 at once (128 with HEDGE_AFTER): room for three of them, and for those who ask for states.
  # A refused call goes to another server, or waits a moment.
  --grpc_max_threads=256
  # Every 5 minutes clients look for servers anew; most ask DNS only then. The gateway pings through calls, every
  # 5 s at most, and gRPC's default ends the connection of a client that pings more often than every 5 minutes.
  --grpc_channel_arguments=grpc.max_connection_age_ms=300000,grpc.http2.min_ping_interval_without_data_ms=4000
)

# The server handles no signal, and what a process does not handle is not delivered to it as process 1. So the shell is
# process 1: with its end, the kernel ends the server too.
trap 'exit 0' TERM INT
/usr/bin/tensorflow_model_server "${flags[@]}" "$@" &
wait $!
