topology "acl" {}

queue "orders" {
  topic = "shop.orders"
}

user "audit" {
  password = env("NOT_SET")
}

acl "good" {
  principal  = "User:*"
  host       = "192.0.2.7"
  permission = "Deny"
  resource   = { topic = queue.orders.topic, pattern = "Prefixed" }
  operations = ["read", "READ", "describe_configs", "AlterConfigs"]
}

acl "same" {
  principal  = "User:*"
  host       = "192.0.2.7"
  permission = "Deny"
  resource   = { topic = queue.orders.topic, pattern = "prefixed" }
  operations = "read, write"
}

acl "types" {
  for_each = {
    group            = "billing"
    transactional_id = "*"
    cluster          = "kafka-cluster"
    delegation_token = "x"
    user             = "User:x"
    topic            = "*"
  }
  principal  = user.audit
  resource   = { (each.key) = each.value }
  operations = ["all"]
}

acl "tokens" {
  principal  = "User:x"
  resource   = { user = user.audit }
  operations = ["create_tokens"]
}

acl "nothing" { # error: No principal | principal = "User:audit" # error: No resource | resource = { topic = "shop.orders" } # error: No operations
}

acl "nulls" {
  principal  = null # error: No principal
  host       = null
  permission = null
  resource   = null # error: No resource
  operations = [] # error: No operations
}

acl "wrong" {
  principal  = "audit" # error: Not a principal | "User:audit"
  host       = "audit.example" # error: Not a host | single addresses
  permission = "may" # error: Not a permission | "allow" or "deny"
  resource   = "shop.orders" # error: Not a resource
  operations = ["read"]
}

acl "network" {
  principal = "User:audit"
  host      = "10.0.0.0/8" # error: Not a host
  resource = {
    topc = "shop.orders" # error: Unknown type of resource "topc" | Did you mean "topic"?
  }
  operations = ["read"]
}

acl "operations" {
  principal = "User:audit"
  resource  = { topic = "shop.orders" }
  operations = ["reed", # error: Not an operation on a topic | It does not know "reed".
    "any",              # error: Not an operation on a topic
    "ClusterAction",    # error: Not an operation on a topic | Kafka knows these there: All, Alter, AlterConfigs, Create,
  ]
}

acl "null" {
  principal = "User:audit"
  resource  = { group = "billing" }
  operations = ["read",
    null, # error: Null in a list
  ]
}

acl "several" {
  principal  = "User:audit"
  resource   = { topic = "a", group = "b" } # error: Not one resource
  operations = ["read"]
}

acl "none" {
  principal  = "User:audit"
  resource   = { pattern = "prefixed" } # error: Not one resource
  operations = ["read"]
}

acl "pattern" {
  principal = "User:audit"
  resource = {
    topic   = "a"
    pattern = "match" # error: Not a pattern | "literal" or "prefixed", not "match"
  }
  operations = ["read"]
}

acl "cluster" {
  principal  = "User:audit"
  resource   = { cluster = "prod" } # error: Not the cluster | "kafka-cluster"
  operations = ["read"] # error: Not an operation on a cluster
}

acl "clusters" {
  principal  = "User:audit"
  resource   = { cluster = "kafka-cluster", pattern = "prefixed" } # error: Not the cluster
  operations = ["describe"]
}

acl "star" {
  principal  = "User:audit"
  resource   = { topic = "shop.*" } # error: Not a topic name | that begin with "shop.", write that, and pattern = "prefixed"
  operations = ["read"]
}

acl "name" {
  principal  = "User:audit"
  resource   = { topic = "shop orders" } # error: Not a topic name
  operations = ["read"]
}

acl "empty" {
  principal  = "User:audit"
  resource   = { group = "" } # error: Empty name
  operations = ["read"]
}

acl "prefix" {
  principal  = "User:audit"
  resource   = { topic = "", pattern = "prefixed" } # error: Empty name
  operations = ["read"]
}

acl "queue" {
  principal  = "User:audit"
  resource   = { topic = queue.orders } # error: Wrong type of value | queue.orders.topic
  operations = ["read"]
}

acl "owner" {
  principal  = "User:audit"
  resource   = { user = "audit" } # error: Not a principal | "User:audit"
  operations = ["describe_tokens"]
}

# All that Kafka 4.4.0 knows (AclEntry.supportedOperations).
acl "known" {
  for_each = {
    topic            = "alter, alter_configs, create, delete, describe, describe_configs, read, write"
    group            = "alter_configs, delete, describe, describe_configs, read"
    cluster          = "alter, alter_configs, cluster_action, create, describe, describe_configs, idempotent_write"
    transactional_id = "describe, two_phase_commit, write"
    delegation_token = "describe"
    user             = "create_tokens, describe_tokens"
  }
  principal  = "User:audit"
  resource   = { (each.key) = each.key == "user" ? "User:x" : each.key == "cluster" ? "kafka-cluster" : "x" }
  operations = each.value
}

acl "unknown" {
  for_each = {
    topic            = "idempotent_write"
    group            = "write"
    cluster          = "delete"
    transactional_id = "read"
    delegation_token = "read"
    user             = "describe"
  }
  principal  = "User:audit"
  resource   = { (each.key) = each.key == "user" ? "User:x" : each.key == "cluster" ? "kafka-cluster" : "x" }
  operations = each.value # error: Not an operation on a cluster # error: Not an operation on a delegation_token # error: Not an operation on a group # error: Not an operation on a topic # error: Not an operation on a transactional_id # error: Not an operation on a user
}
