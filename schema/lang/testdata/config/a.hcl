topology "config" {}

queue "orders" {
  config = {
    "retention.m"                           = "7d" # error: Unknown config key | Did you mean "retention.ms"?
    "retentoin.ms"                          = "7d" # error: Unknown config key | Did you mean "retention.ms"?
    "redpanda.remote.read"                  = "true" # warning: Unknown config key | The live brokers decide.
    "confluent.value.schema.validation"     = true # warning: Unknown config key
    "confluent.placement.constraints"       = ["x"] # warning: Unknown config key # error: Wrong type of value | a string or a number
    "leader.replication.throttled.replicas" = "*" # error: Config key cannot be declared | belongs to moves
    "retention.ms"                          = "7 days" # error: Value refused | retention.ms: "7 days" has the unknown unit
    "max.message.bytes"                     = "2GiB" # error: Value refused | max.message.bytes is at most 2147483647
    "min.insync.replicas"                   = 0 # error: Value refused | min.insync.replicas is at least 1, not 0.
    "segment.ms"                            = ["7d"] # error: Wrong type of value | segment.ms is a long, not a list.
    "cleanup.policy"                        = ["delete", "compct"] # error: Value refused | not "compct"
    "compression.type"                      = tolist([null, "zstd"]) # error: Wrong type of value | compression.type is a string
    "preallocate"                           = 1 # error: Value refused | true or false
    "min.cleanable.dirty.ratio"             = 1.5 # error: Value refused | between 0 and 1
    "retention.bytes"                       = { a = 1 } # error: Wrong type of value | not a map
    "flush.ms"                              = env("SECRET") # error: A secret would be shown here
    "flush.messages"                        = 1.5 # error: Value refused | whole number
    "segment.bytes"                         = 1e999 # error: Number out of range | segment.bytes
    segment.jitter.ms                       = 1 # error: Ambiguous attribute key | wrap it in quotes
    "delete.retention.ms"                   = "1d"
    "delete.retention.ms"                   = "2d" # error: Config key set twice | at testdata/config/a.hcl:24
  }
}

queue "computed" {
  config = merge({ "retention.ms" = "forever" }, {}) # error: Value refused | "forever" is not a duration
}

queue "listed" {
  config = ["x"] # error: Wrong type of value | config is a map of Kafka's topic configs, not a list.
}

queue "nulls" {
  config = {
    "cleanup.policy" = tolist([null, "delete"]) # error: Wrong type of value | a list of strings, and null is none
  }
}

queue "nothing" {
  config = {
    "retention.ms" = null # warning: Nothing to take away | none sets retention.ms here
    "segment.ms"   = 1 > 2 ? "1d" : null # warning: Nothing to take away
    "flush.ms"     = local.none
    ""             = "x" # error: Config key without a name
  }
}

locals { none = null }
