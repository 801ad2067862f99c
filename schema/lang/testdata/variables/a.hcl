# options: --var number=x --var list=[ --var untold=1 --var exported --var-file values.qfvars
# nowhere: Malformed --var | Number 4 of them is not NAME=VALUE.
# nowhere: Malformed value from --var list | "[" is not an HCL value of type list of string.
# nowhere: No variable "untold" | --var untold sets a variable
topology "variables" {}

variable "number" { # error: Wrong type for variable number | from --var number
  type = number
}

variable "list" { type = list(string) }

variable "none" {} # error: Variable without a value | --var none=VALUE, QUEUEFORM_VAR_none

variable "twice" { default = 1 }

variable "twice" { default = 1 } # error: Variable declared twice

variable "2nd" { default = 1 } # error: "2nd" cannot be a label

variable "typed" {
  type    = strng # error: Invalid type specification
  default = "x"
}

variable "fitting" {
  type    = map(number)
  default = ["x"] # error: Wrong type for variable fitting | from its default does not fit
}

variable "only_typed" { type = strin } # error: Invalid type specification

variable "misspelt" { defalt = 1 } # error: Unsupported argument | Did you mean "default"?

variable "early" {
  default = var.twice # error: Variables not allowed | write it as a literal
}

variable "checked" { # error: Variable checked is refused | 7 is too many.
  default = 7

  validation {
    condition     = var.checked < 5
    error_message = "${var.checked} is too many."
  }
}

variable "filed" {
  validation {
    condition     = var.filed == "y"
    error_message = "It is y."
  }
}

variable "condition" {
  default = 1

  validation {
    condition     = "perhaps" # error: Wrong type of condition
    error_message = "x"
  }

  validation {
    condition     = local.x # error: local cannot be used here
    error_message = "x"
  }
}

variable "half" {
  default = 1

  validation { # error: Incomplete validation
    condition = true
  }
}

variable "remarks" {
  default     = 1
  description = ["x"] # error: Wrong type of value
  labels      = "x"   # error: Wrong type of value
}

queue "quiet" {
  partitions         = var.number
  replication_factor = var.none
  key                = var.early
}
