output "phone_number" {
  description = "The number that callers dial."
  value       = twilio_api_accounts_incoming_phone_numbers.line.phone_number
}

output "phone_number_sid" {
  description = "The number's SID (PN…), as imports and Twilio's console name it."
  value       = twilio_api_accounts_incoming_phone_numbers.line.sid
}

output "voice_url" {
  description = "The webhook that Twilio asks what to do with a call."
  value       = twilio_api_accounts_incoming_phone_numbers.line.voice_url
}

output "apology_url" {
  description = "The fallback: Twilio's own apology. Outbound calls can use it as their fallback, too."
  value       = local.apology_url
}
