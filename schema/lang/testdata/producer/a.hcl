topology "producer" {}

queue "orders" {}

queue "shard" {
  for_each = toset(["eu", "us"])
  topic    = "shard.${each.key}"
}

external "queue" "payments" {}

user "checkout" {
  password = env("NOT_SET")
}

user "team" {
  for_each = toset(["a"])
  name     = "team.${each.key}"
  password = env("NOT_SET")
}

producer "good" {
  queues           = [queue.orders, queue.shard, external.queue.payments]
  principal        = user.checkout
  transactional_id = "good-1"
  description      = "Writes ${queue.orders.topic}"
  labels           = { topics = join(",", values(queue.shard)[*].topic) }
  client = {
    "client.id"     = "good"
    "linger.ms"     = "5ms"
    "acks"          = -1
    "x"             = true # warning: Unknown config key | The client decides.
    "buffer.memory" = "auto"
  }

  quota {
    producer_byte_rate = "10MiB"
    request_percentage = 1.5
  }
}

producer "each" {
  for_each  = queue.shard
  queues    = [each.value]
  principal = user.team["a"]
}

producer "computed" {
  queues = concat(values(queue.shard), [queue.orders])
}

producer "nothing" { # error: No queues | queues = [queue.orders]
}

producer "empty" {
  queues = [] # error: No queues
}

producer "single" {
  queues = queue.orders # error: Not a list of queues | queues = [queue.orders]
}

producer "whole" {
  queues = queue.shard # error: Not a list of queues
}

producer "texts" {
  queues = ["orders", # error: Not a queue | without quotes
    null,             # error: Not a queue
    5,                # error: Not a queue
    user.checkout,    # error: Not a queue
  ]
}

producer "twice" {
  queues = [
    queue.orders,
    queue.shard["eu"],
    queue.orders,     # error: Queue named twice | queue.orders stands at testdata/producer/a.hcl:77:5 already.
    queue.shard,      # error: Queue named twice | queue.shard["eu"] stands at
  ]
}

producer "misspelt" {
  queues = [
    queue.order,             # error: There is no queue.order | Did you mean "orders"?
    external.queue.payment,  # error: There is no external.queue.payment | Did you mean "payments"?
    queue.shard["ue"],       # error: There is no queue.shard["ue"]
  ]
  principal = user.chekout # error: There is no user.chekout | It is not declared. Did you mean "checkout"?
}

producer "bare" {
  queues    = [queue.orders]
  principal = "checkout" # error: Not a principal | "User:checkout"
}

producer "lower" {
  queues    = [queue.orders]
  principal = "user:checkout" # error: Not a principal | Did you mean "User:checkout"?
}

producer "star" {
  queues    = [queue.orders]
  principal = "*" # error: Not a principal | Everybody is "User:*".
}

producer "everybody" {
  queues    = [queue.orders]
  principal = "User:*" # error: Everybody is not an application
}

producer "team" {
  queues    = [queue.orders]
  principal = user.team # error: Not a principal | user.team["eu"]
}

producer "hidden" {
  queues    = [queue.orders]
  principal = env("SECRET") # error: A secret would be shown here
}

producer "transactions" {
  queues                  = [queue.orders]
  transactional_id        = "a"
  transactional_id_prefix = "b" # error: Two kinds of transactional ids
}

producer "control" {
  queues           = [queue.orders]
  transactional_id = "a\tb" # error: Control character in a name
}

producer "noname" {
  queues                  = [queue.orders]
  transactional_id_prefix = "" # error: Empty name
}

producer "clients" {
  queues = [queue.orders]
  client = {
    "basic.auth.user.info" = "hunter3" # error: A secret would be shown here # warning: Unknown config key
    "ssl.key.password" = "hunter3" # error: A secret would be shown here | for the application to know
    "acks"             = { a = 1 } # error: Wrong type of value | acks is a string, not a map.
    "lingerms"         = 5 # error: Unknown config key | Kafka has no producer setting "lingerms". Did you mean "linger.ms"?
    "batch.size"       = "64KB" # error: Value refused | the unknown unit
    "buffer.memory"    = "automatic" # error: Value refused | is not a size
    "compression.type" = "zip" # error: Value refused | compression.type knows none, gzip
    "max.poll.records" = 5 # warning: Unknown config key | The client decides.
    "x"                = env("SECRET") # error: A secret would be shown here
    "linger.ms"        = 1
    "linger.ms"        = 2 # error: Config key set twice
  }
}

producer "quotas" {
  queues = [queue.orders]

  quota { # error: A quota of nobody | a principal like "User:checkout", or its client a "client.id"
    producer_byte_rate = "1MiB"
  }
}

producer "limits" {
  queues    = [queue.orders]
  principal = "User:limits"

  quota { # error: A quota without a limit
    colour = "red" # error: Unsupported argument | These are: consumer_byte_rate, controller_mutation_rate, producer_byte_rate, request_percentage.
  }
}

producer "reserved" {
  queues    = [queue.orders]
  principal = "User:(default)"

  quota { # error: A quota of all
    consumer_byte_rate = 1
  }
}

producer "rates" {
  queues    = [queue.orders]
  principal = "User:rates"

  quota {
    producer_byte_rate       = "10MiB/s" # error: Not a size | unknown unit
    consumer_byte_rate       = 0 # error: Not a size | more than 0
    request_percentage       = -1 # error: Number out of range | request_percentage is more than 0, not -1.
    controller_mutation_rate = "many" # error: Wrong type of value
    connection_creation_rate = 1 # error: Unsupported argument
  }
}

producer "misplaced" {
  queues   = [queue.orders]
  colour   = "red" # error: Unsupported argument
  group_id = "x" # error: Unsupported argument
}

producer "good" { # error: producer.good is declared twice
  queues = [queue.orders]
}
