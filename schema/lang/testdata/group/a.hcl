topology "group" {}

queue "orders" {
  partitions = 3
}

consumer_group "billing" {
  queues    = [queue.orders]
  protocol  = "consumer"
  start     = "2026-01-31T08:00:00+01:00"
  principal = "User:billing"
  members   = queue.orders.partitions
  max_lag   = 0
  config    = { "consumer.session.timeout.ms" = "45s" }
  client    = { "max.poll.interval.ms" = "5m" }

  quota {
    consumer_byte_rate = "1MiB"
  }
}

consumer_group "work" {
  group_id = "Rechnung Ä/…"
  queues   = [queue.orders]
  protocol = "share"
  start    = "earliest"
  config = {
    "share.record.lock.duration.ms"    = "30s"
    "errors.deadletterqueue.topic.name" = "dlq.x"
  }
}

consumer_group "nothing" { # error: No queues # error: No protocol | "consumer" (Kafka 4.0+)
}

consumer_group "unknown" {
  queues   = [queue.orders]
  protocol = "Consumer" # error: Unknown protocol "Consumer"
  start    = "begin" # error: Not a start | "earliest", "latest", or a time
  config   = { "consumer.sesion.timeout.ms" = 1 } # error: Unknown config key | Kafka has no group config "consumer.sesion.timeout.ms". Did you mean "consumer.session.timeout.ms"?
}

consumer_group "nulls" {
  queues   = null # error: No queues
  protocol = null # error: No protocol
  start    = null
}

consumer_group "date" {
  queues   = [queue.orders]
  protocol = "classic"
  start    = "2026-01-31" # error: Not a start | "2026-01-31T00:00:00Z"
  members  = 0 # error: Number out of range
  max_lag  = -1 # error: Number out of range
}

consumer_group "future" {
  queues   = [queue.orders]
  protocol = "classic"
  start    = "2999-01-31T00:00:00Z" # error: Start in the future | "latest"
  members  = 1.5 # error: Number out of range
}

consumer_group "past" {
  queues   = [queue.orders]
  protocol = "classic"
  start    = "1969-12-31T23:59:59Z" # error: Start before all messages
}

consumer_group "timed" {
  queues   = [queue.orders]
  protocol = "share"
  start    = "2026-01-31T00:00:00Z" # error: A share group starts at no time | by_duration
}

consumer_group "starts" {
  queues   = [queue.orders]
  protocol = "share"
  start    = "latest" # error: Two starts | set at testdata/group/a.hcl:80:44
  config   = { "share.auto.offset.reset" = "earliest" }
}

consumer_group "classics" {
  queues   = [queue.orders]
  protocol = "classic"
  config = {
    "consumer.session.timeout.ms"       = "45s" # error: Config of another protocol | for groups of the protocol "consumer", and this is "classic"
    "share.isolation.level"             = "read_committed" # error: Config of another protocol
    "streams.num.standby.replicas"      = 1 # error: Config of another protocol | Kafka Streams
    "errors.deadletterqueue.topic.name" = "dlq.x" # error: Config of another protocol | "share"
    "vendor.key"                        = 1 # warning: Unknown config key | Kafka has no group config "vendor.key". The live brokers decide.
    "share.heartbeat.interval.ms"       = "5 days" # error: Value refused
  }
}

consumer_group "control" {
  group_id = "a\u0000b\u202e" # error: Control character in a name | "a\u0000b\u202e"
  queues   = [queue.orders]
  protocol = "classic"
}

consumer_group "noname" {
  group_id = "" # error: Empty name
  queues   = [queue.orders]
  protocol = "classic"
}

consumer_group "again" {
  group_id = "billing" # error: Group "billing" is declared twice | consumer_group.billing at testdata/group/a.hcl:7:16 declares it too
  queues   = [queue.orders]
  protocol = "classic"
}

consumer_group "clients" {
  queues   = [queue.orders]
  protocol = "classic"

  client = {
    "max.poll.intervals.ms" = "5m" # error: Unknown config key | Kafka has no consumer setting "max.poll.intervals.ms". Did you mean "max.poll.interval.ms"?
    "session.timeout.ms"    = "a while" # error: Value refused | is not a duration
    "linger.ms"             = "5ms" # warning: Unknown config key | Kafka has no consumer setting "linger.ms". The client decides.
    "max.poll.records"      = 10
  }
}

delete "consumer_group" "billing" {} # error: Group "billing" is declared and deleted | consumer_group.billing at testdata/group/a.hcl:7:16

forget "consumer_group" "old" {} # error: Group "old" is deleted and forgotten | delete.consumer_group["old"] stands at

delete "consumer_group" "old" {}

delete "consumer_group" "" {} # error: Empty name

delete "consumergroup" "x" {} # error: Unknown kind of object "consumergroup" | Did you mean "consumer_group"?
