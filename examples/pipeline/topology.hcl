# A pipeline: one application writes, and two read all of it, each at its own pace.
topology "pipeline" {
  description = "Clicks, from the web to the warehouse and to fraud detection"
  owner       = "team-data"
}

# Three copies, two of which must have a message before it counts as sent: any
# one broker may die.
profile "durable" {
  replication_factor = 3

  config = {
    "min.insync.replicas" = 2
  }
}

queue "clicks" {
  topic      = "pipeline.clicks"
  profile    = profile.durable
  partitions = 12
  key        = "visitor id" # what one visitor does stays in order

  config = {
    "retention.ms" = "3d" # as long as a reader may be away
  }

  load { # the peak: plan warns where the cluster cannot carry it
    messages_per_second = 100
    message_bytes       = "1KiB"
  }
}

producer "web" {
  queues = [queue.clicks]

  client = {
    "linger.ms"        = "20ms" # larger batches, for a little patience
    "batch.size"       = "64KiB"
    "compression.type" = "zstd"
  }
}

# Has all clicks, from the first on.
consumer_group "warehouse" {
  group_id = "pipeline.warehouse"
  queues   = [queue.clicks]
  protocol = "classic" # which every client speaks
  start    = "earliest"
  members  = 4
  max_lag  = 1000000 # messages: it may load them at night

  client = {
    "max.poll.records" = 5000
  }
}

# Looks at what happens from now on, and must keep up.
consumer_group "fraud" {
  group_id = "pipeline.fraud"
  queues   = [queue.clicks]
  protocol = "consumer" # Kafka 4.0+: members come and go without a pause for the others
  start    = "latest"
  members  = 12 # one for each partition: more would be idle
  max_lag  = 1000

  config = {
    "consumer.session.timeout.ms" = "60s" # a pause that long, and others take over
  }
}
