# Where a call goes when the bridge is gone altogether: Twilio itself says so and hangs up. A flow is used because it
# can be made by program; TwiML Bins have no API, and this provider cannot upload the code of a Function.
resource "twilio_studio_flows_v2" "apology" {
  friendly_name  = "${var.friendly_name}: the bridge cannot be reached"
  status         = "published"
  commit_message = "phone-bridge"

  definition = jsonencode({
    description   = "Says that the bridge cannot be reached."
    initial_state = "Trigger"
    flags = {
      allow_concurrent_calls = true
    }
    states = [
      {
        name = "Trigger"
        type = "trigger"
        transitions = [
          { event = "incomingMessage" },
          { event = "incomingCall", next = "apologise" },
          { event = "incomingConversationMessage" },
          { event = "incomingRequest" },
          { event = "incomingParent" },
        ]
        properties = {
          offset = { x = 0, y = 0 }
        }
      },
      {
        name = "apologise"
        type = "say-play"
        transitions = [
          { event = "audioComplete" },
        ]
        properties = {
          say      = var.apology
          language = var.apology_language
          loop     = 1
          offset   = { x = 0, y = 200 }
        }
      },
    ]
  })
}

resource "twilio_api_accounts_incoming_phone_numbers" "line" {
  phone_number  = var.phone_number
  friendly_name = var.friendly_name
  bundle_sid    = var.bundle_sid
  address_sid   = var.address_sid

  voice_url    = "${var.public_url}/twilio/voice"
  voice_method = "POST"

  # Asked for when the voice URL does not answer within 15 s, or answers with what is no TwiML. It also takes over a
  # call in the middle, when what follows after <Connect> cannot be had.
  voice_fallback_url    = local.apology_url
  voice_fallback_method = "POST"

  status_callback        = "${var.public_url}/twilio/status"
  status_callback_method = "POST"

  lifecycle {
    # A number that is given back may be somebody else's the next day.
    prevent_destroy = true
  }
}

locals {
  apology_url = "https://webhooks.twilio.com/v1/Accounts/${var.account_sid}/Flows/${twilio_studio_flows_v2.apology.sid}"
}
