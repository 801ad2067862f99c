locals {
  many = 12
} }  # error: Missing newline after block definition
