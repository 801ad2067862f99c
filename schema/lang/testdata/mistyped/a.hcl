# What a block that was lost cannot declare is missed elsewhere.
topology "mistyped" {}

quee "orders" {} # error: Unsupported block type | Did you mean "queue"?

queue "payments" {
  profile     = profile.durable # error: There is no profile.durable
  partitions  = var.partitions  # error: There is no var.partitions
  dead_letter = queue.orders
}

usr "checkout" {} # error: Unsupported block type | Did you mean "user"?

producer "orders" {
  queues    = [queue.lost, external.queue.gone] # error: There is no external.queue.gone
  principal = user.checkout
}
