# What is wrong with one block is not told again of those that use it.
topology "objects" {}

queue "bad" {
  topic = "a b" # error: Not a topic name
}

queue "half" {
  partitions = "many" # error: Wrong type of value
}

queue "good" {
  topic  = "shop.good"
  config = { "max.message.bytes" = "1MiB" }
}

queue "lost" {
  for_each = nothing # error: Unknown variable
}

user "bad" {
  password   = env("NOT_SET")
  iterations = 1 # error: Number out of range
}

producer "follows" {
  queues      = [queue.bad, queue.half, queue.lost["eu"]]
  principal   = user.bad
  description = "${queue.bad.topic} ${queue.lost["eu"].topic}"
}

producer "each" {
  for_each = queue.lost
  queues   = [each.value]
}

consumer_group "follows" {
  queues   = values(queue.lost)
  protocol = "classic"
  members  = queue.half.partitions + 1
}

acl "follows" {
  principal  = user.bad.principal
  resource   = { topic = queue.bad.topic }
  operations = ["read"]
}

quota "follows" {
  user               = user.bad
  consumer_byte_rate = 1
}

# What they have can be used, and nothing else.
consumer_group "uses" {
  group_id    = "${queue.good.topic}.readers"
  queues      = [queue.good]
  protocol    = "classic"
  members     = queue.good.partitions # not declared: not said
  description = queue.good.tpic # error: There is no queue.good.tpic | It has these: address, config, description, key, labels, partitions, replication_factor, topic. Did you mean "topic"?
  client      = { "fetch.max.bytes" = queue.good.config["max.message.bytes"] }
}

queue "early" {
  topic = queue.good.topic # error: queue cannot be used here | producers, groups, users, acls and quotas see all of them
  key   = user.bad.name # error: user cannot be used here
}

# Something that looks like a queue is none.
producer "forged" {
  queues = [{ address = "queue.none" }] # error: Not a queue
}

queue "keys" {
  for_each = toset(["address", "topic"])
  topic    = "keys.${each.key}"
}

producer "keys" {
  queues = [queue.keys, queue.keys["address"]] # error: Queue named twice | queue.keys["address"]
}

user "default" {
  name     = "(default)"
  password = env("NOT_SET")
}

quota "default" {
  user               = user.default # error: A name that is taken
  consumer_byte_rate = 1
}

acl "forged" {
  principal  = { principal = "nobody" } # error: Not a principal | "User:nobody"
  resource   = { topic = "x" }
  operations = ["read"]
}
