# What belongs to no team.
topology "platform" {
  description = "The cluster of checkout and billing"
  owner       = "team-platform"
}

# Whoever has no quota of its own has this.
quota "everybody" {
  user               = null
  producer_byte_rate = "5MiB" # a second, on each broker
  consumer_byte_rate = "10MiB"
}

# Reads whatever there is, in groups whose names begin with "audit.".
user "auditor" {
  password = env("AUDITOR_PASSWORD")
}

acl "audit_topics" {
  principal  = user.auditor
  operations = ["read", "describe"]

  resource = {
    topic = "*"
  }
}

acl "audit_groups" {
  principal  = user.auditor
  operations = ["read"]

  resource = {
    group   = "audit."
    pattern = "prefixed"
  }
}
