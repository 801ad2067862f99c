topology "secrets" {
  owner = env("SECRET") # error: A secret would be shown here
}

variable "password" {
  default   = "hunter2"
  sensitive = true
}

variable "later" { sensitive = true }

variable "checked" { # error: Variable checked is refused | The condition at testdata/secrets/a.hcl:17:5 does not hold.
  default   = "hunter2"
  sensitive = true

  validation {
    condition     = var.checked != "hunter2"
    error_message = "${var.checked} is short" # error: A secret would be shown here
  }
}

# The value is no number.
variable "number" {
  default   = "hunter2" # error: Wrong type for variable number | a number is required
  type      = number
  sensitive = true
}

locals {
  unset    = env("NOT_SET") # error: Error in function call | NOT_SET is not set
  number   = tonumber(env("SECRET")) # error: Invalid function argument | may be a secret
  duration = duration(var.password) # error: Error in function call | may be a secret
  of       = env(var.password) # error: Error in function call | may be a secret
  double   = env(env("SECRET")) # error: Error in function call | may be a secret
  spread   = tonumber([env("SECRET")]...) # error: Invalid function argument | may be a secret
  keyed    = { for k in ["a", "b"] : env("SECRET") => k } # error: Duplicate object key | may be a secret
  hidden   = { password = env("SECRET") }
  each     = [for p in [var.password] : tonumber(p)] # error: Invalid function argument | may be a secret
  tried    = try(tonumber(var.password), tonumber(env("SECRET"))) # error: Error in function call | may be a secret
  fallback = try(env("NOT_SET"), "x")
}

queue "named" {
  topic              = env("SECRET") # error: A secret would be shown here
  description        = "by ${var.password}" # error: A secret would be shown here
  key                = var.later # error: A secret would be shown here
  partitions         = var.password == "x" ? 1 : 2 # error: A secret would be shown here
  replication_factor = tonumber(var.later) # error: A secret would be shown here
  labels             = local.hidden # error: A secret would be shown here
  config             = { (env("SECRET")) = 1 } # error: A secret would be shown here
}
