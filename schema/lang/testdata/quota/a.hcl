topology "quota" {}

queue "orders" {}

user "guest" {
  password = env("NOT_SET")
}

quota "guest" {
  user               = user.guest
  consumer_byte_rate = "1MiB"
}

quota "both" {
  user                     = "a b"
  client_id                = null
  producer_byte_rate       = 1
  request_percentage       = 0.5
  controller_mutation_rate = 5
}

quota "ips" {
  for_each                 = toset(["192.0.2.7", "2001:db8::7"])
  ip                       = each.key
  connection_creation_rate = 10
}

quota "ip" {
  ip                       = null
  connection_creation_rate = 10
}

quota "nobody" { # error: A quota of nobody | user, client_id or both; or ip
  consumer_byte_rate = 1
}

quota "nothing" { # error: A quota without a limit
  user = "x"
}

quota "nulls" { # error: A quota without a limit
  user               = "x"
  consumer_byte_rate = null
}

quota "mixed" {
  user                     = "x"
  ip                       = "192.0.2.8" # error: An ip and somebody else
  connection_creation_rate = 1
}

quota "connections" {
  client_id                = "x"
  connection_creation_rate = 1 # error: Connections of no ip
}

quota "bytes" {
  ip                 = "192.0.2.8" # error: An ip has no such quota | connection_creation_rate alone
  consumer_byte_rate = 1
}

quota "network" {
  ip                       = "10.0.0.0/8" # error: Not an address | no networks
  connection_creation_rate = 1.5 # error: Number out of range
}

quota "host" {
  ip                       = "guest.example" # error: Not an address | 192.0.2.7
  connection_creation_rate = 0 # error: Number out of range
}

quota "names" {
  user               = "(default)" # error: A name that is taken | Write null, without quotes
  client_id          = "" # error: Empty name
  consumer_byte_rate = "0B" # error: Not a size
  request_percentage = 1e999 # error: Number out of range
}

quota "principal" {
  user               = "User:x" # error: A principal for a name | Write "x".
  client_id          = ["x"] # error: Wrong type of value
  consumer_byte_rate = "5" # the bytes of a text are bytes
}

quota "typos" {
  user               = user.gest # error: There is no user.gest | Did you mean "guest"?
  consumer_byte_rate = 1
}

quota "again" {
  user               = "guest"
  producer_byte_rate = 1 # error: producer_byte_rate is limited twice | consumer_group.reader at testdata/quota/a.hcl:102:26 sets it for user:guest, and this is quota.again.
  consumer_byte_rate = "2MiB" # error: consumer_byte_rate is limited twice | quota.guest at testdata/quota/a.hcl:11:24 sets it for user:guest, and this is quota.again.
}

consumer_group "reader" {
  queues    = [queue.orders]
  protocol  = "classic"
  principal = user.guest

  quota {
    producer_byte_rate = 5
    request_percentage = 5
  }
}

quota "many" {
  for_each           = toset(["a", "b"])
  client_id          = "many"
  consumer_byte_rate = 5 # error: consumer_byte_rate is limited twice | quota.many["a"]
}
