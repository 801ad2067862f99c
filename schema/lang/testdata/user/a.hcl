topology "user" {}

variable "given" { sensitive = true }

user "checkout" {
  name             = "team.checkout"
  description      = "x"
  labels           = { a = "b" }
  mechanisms       = ["SCRAM-SHA-512", "SCRAM-SHA-256"]
  iterations       = 8192
  password         = env("NOT_SET")
  password_version = 2
}

user "team" {
  for_each   = toset(["a", "b"])
  name       = "team.${each.key}"
  mechanisms = "SCRAM-SHA-256, SCRAM-SHA-512"
  password   = var.given
}

user "nothing" { # error: No password | password = env("CHECKOUT_PASSWORD")
}

user "accent" {
  name     = "rené" # error: A name that cannot log in | takes names of ASCII characters alone
  password = env("NOT_SET")
}

user "literal" {
  password = "hunter2" # warning: A secret in a file | Take it from the environment: password = env("NAME").
}

user "null" {
  password = null # error: No password
}

user "wrong" {
  name             = "User:wrong" # error: A principal for a name | Write "wrong".
  mechanisms       = ["PLAIN", "SCRAM-SHA-215"] # error: Not a SCRAM mechanism | Kafka keeps users of SCRAM-SHA-256 and SCRAM-SHA-512, not of "PLAIN". # error: Not a SCRAM mechanism | Did you mean "SCRAM-SHA-256"?
  iterations       = 4095 # error: Number out of range | from 4096 to 16384
  password         = ["x"] # error: Wrong type of value | A secret is a string.
  password_version = 0 # error: Number out of range
}

user "iterations" {
  mechanisms = [] # error: No mechanisms | delete block
  iterations = 16385 # error: Number out of range
  password   = env("NOT_SET")
}

user "secretive" {
  name             = env("SECRET") # error: A secret would be shown here
  description      = var.given # error: A secret would be shown here
  password_version = var.given # error: A secret would be shown here
  password         = queue.nothing # error: There is no queue.nothing
}

user "again" {
  name     = "team.checkout" # error: User "team.checkout" is declared twice | user.checkout at testdata/user/a.hcl:6:22 declares it too
  password = env("NOT_SET")
}

user "other" {
  name     = user.checkout.name # error: user cannot be used here | Producers, groups, acls and quotas see users.
  password = env("NOT_SET")
}

user "a b" { # error: "a b" cannot be a label
  name     = "a b"
  password = env("NOT_SET")
}

delete "user" "team.checkout" {} # error: User "team.checkout" is declared and deleted

forget "user" "old" {}

forget "user" "User:old" {} # error: A principal for a name
