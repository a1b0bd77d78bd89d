variable "account_sid" {
  description = "The Twilio account that holds the number and the fallback flow (the same as TWILIO_ACCOUNT_SID)."
  type        = string

  validation {
    condition     = can(regex("^AC[0-9a-f]{32}$", var.account_sid))
    error_message = "An account's SID is AC and 32 hexadecimal digits."
  }
}

variable "public_url" {
  description = "The address of the bridge: exactly its PHONE_BRIDGE_PUBLIC_URL, since webhooks are signed over it."
  type        = string

  validation {
    condition     = can(regex("^https://[^/?#]+$", var.public_url))
    error_message = "The address is https://host[:port], with no slash at its end."
  }
}

variable "phone_number" {
  description = "The number that callers dial, E.164. Applying buys it, unless it was imported before (see README.md)."
  type        = string

  validation {
    condition     = can(regex("^\\+[1-9][0-9]{6,14}$", var.phone_number))
    error_message = "The number is in E.164, such as +14155550100."
  }
}

variable "friendly_name" {
  description = "What the number is called in Twilio's console."
  type        = string
  default     = "phone-bridge"
}

variable "bundle_sid" {
  description = "The regulatory bundle (BU…) that some countries ask for before a number is given out."
  type        = string
  default     = null
}

variable "address_sid" {
  description = "The address (AD…) that some countries ask for before a number is given out."
  type        = string
  default     = null
}

variable "apology" {
  description = "What callers hear, in Twilio's own voice, while the bridge cannot be reached at all."
  type        = string
  default     = "I am sorry, your calendar assistant cannot be reached. Nothing was changed. Please call again later. Goodbye."
}

variable "apology_language" {
  description = "The language of the apology, as Twilio's voices call it."
  type        = string
  default     = "en-US"
}
