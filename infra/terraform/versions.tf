terraform {
  required_version = ">= 1.5, < 2"

  required_providers {
    twilio = {
      # Twilio's own provider. It is a pilot, generated from the REST API and not developed further; what is used of it
      # here (a number, a flow) is two plain resources.
      source  = "twilio/twilio"
      version = "0.18.46"
    }
  }
}

# Credentials come from the environment: TWILIO_ACCOUNT_SID with TWILIO_API_KEY and TWILIO_API_SECRET, or with
# TWILIO_AUTH_TOKEN. Nothing secret is written here, nor into the state.
provider "twilio" {}
