// A Twilio Function, which the flow asks whether a result is ours: set IVR_RETURN_KEY in its environment, and make it
// "protected", so that nobody but Twilio reaches it. A result that is not ours, or old, fails the widget.
const crypto = require("node:crypto");

const OLD_SECONDS = 300;

exports.handler = function (context, event, callback) {
  const told = Object.keys(event)
    .filter((name) => name.startsWith("pb_") && name !== "pb_signature" && event[name] !== "")
    .sort();
  const text = told.map((name) => `${name}=${event[name]}`).join("\n");
  const right = crypto.createHmac("sha256", context.IVR_RETURN_KEY).update(text).digest("hex");
  const given = Buffer.from(event.pb_signature ?? "");
  const fits = given.length === right.length && crypto.timingSafeEqual(given, Buffer.from(right));
  const fresh = Math.abs(Date.now() / 1000 - Number(event.pb_at)) < OLD_SECONDS;
  if (!fits || !fresh || event.pb_call_sid !== event.CallSid) {
    return callback(new Error("The result is not phone_bridge's, is old, or is another call's."));
  }
  return callback(null, { ended: event.pb_ended, actions: event.pb_actions || "" });
};
