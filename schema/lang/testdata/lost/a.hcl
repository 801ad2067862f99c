# What a block that was lost may declare is not missed elsewhere.
topology "lost" {}

profil "durable" {} # error: Unsupported block type | Did you mean "profile"?

queue "orders" {
  profile    = profile.durable
  partitions = local.many
  key        = 5 / "x" # error: Invalid operand
}

producer "orders" {
  queues    = [queue.lost, external.queue.lost, queue.orders]
  principal = user.lost
}

consumer_group "orders" {
  queues   = [queue.lost]
  protocol = "classic"
  members  = queue.lost.partitions
}

quota "orders" {
  user               = user.lost
  consumer_byte_rate = 1
}
