# A work queue: each job goes to one worker, whoever is free, who acknowledges that
# very job. One that fails comes again; one that never works is put aside.
#
#   queueform send producer.shop '{"to": "ann@example.com"}'
#   queueform receive consumer_group.workers --follow --exec ./deliver
#
# Exit code 0 of ./deliver is done, 100 never again, any other try again.
topology "work" {
  description = "Emails to be delivered"
  owner       = "team-mail"
}

profile "durable" {
  replication_factor = 3

  config = {
    "min.insync.replicas" = 2
  }
}

queue "emails" {
  topic       = "work.emails"
  profile     = profile.durable
  partitions  = 3 # workers may be more: they share messages, not partitions
  dead_letter = queue.emails_dead
}

queue "emails_dead" {
  topic      = "dlq.work.emails" # brokers want that prefix
  profile    = profile.durable
  partitions = 1

  config = {
    "retention.ms" = "30d" # longer than the jobs: somebody has to look
  }
}

producer "shop" {
  queues = [queue.emails]
}

consumer_group "workers" {
  group_id = "work.workers"
  queues   = [queue.emails]
  protocol = "share" # Kafka 4.2+, with dead letters Kafka 4.4+
  start    = "earliest"

  config = {
    "share.record.lock.duration.ms" = "30s" # for one job; then another worker gets it
    "share.delivery.count.limit"    = 3     # tries; then it is a dead letter
  }
}

# Looks after dead letters, or sends them again:
#
#   queueform receive consumer_group.undertaker --format json | queueform send producer.shop --format json
consumer_group "undertaker" {
  group_id = "work.undertaker"
  queues   = [queue.emails_dead]
  protocol = "classic"
  start    = "earliest"
  max_lag  = 100
}
