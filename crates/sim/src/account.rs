//! The account resource and the numbers that the account may call from, in the vendor's shapes. It must not
//! change anything. Called when one of the three is asked for.

use crate::exchange::Exchange;
use crate::notice::Answer;
use crate::wire::{self, rfc2822};
use serde_json::{Value, json};

/// The numbers that the account has rented, and whether each can speak: one of either kind, so that a customer
/// who does not look at the capabilities is found out. Any other number may be called from all the same.
const RENTED: [(&str, bool); 2] = [("+15550001111", true), ("+15550002222", false)];
/// The number that the account's owner has proven to be theirs.
const VERIFIED: &str = "+15551230100";
/// When all of it was made: 2010-08-31T20:36:28Z, the day of the vendor's own examples.
const MADE_MS: u64 = 1_283_286_988_000;

/// What lies at `rest` of the account's path; nothing when it is none of this.
pub fn get(exchange: &Exchange, rest: &str) -> Option<Answer> {
    let sid = &exchange.options().account_sid;
    let body = match rest {
        ".json" => account(exchange),
        "/IncomingPhoneNumbers.json" => {
            let rented = RENTED.iter().map(|(number, voice)| rented(sid, number, *voice));
            page(sid, "IncomingPhoneNumbers", "incoming_phone_numbers", rented)
        }
        "/OutgoingCallerIds.json" => {
            let verified = std::iter::once(numbered(sid, "OutgoingCallerIds", VERIFIED));
            page(sid, "OutgoingCallerIds", "outgoing_caller_ids", verified)
        }
        _ => return None,
    };
    Some(Answer::Reply {
        status: 200,
        body: body.to_string(),
    })
}

fn account(exchange: &Exchange) -> Value {
    let options = exchange.options();
    let sid = &options.account_sid;
    json!({
        "sid": sid,
        "owner_account_sid": sid,
        "auth_token": options.auth_token,
        "friendly_name": "Simulated account",
        "status": "active",
        "type": if exchange.faults().trial { "Trial" } else { "Full" },
        "date_created": rfc2822(MADE_MS),
        "date_updated": rfc2822(MADE_MS),
        "subresource_uris": { "calls": path(sid, "Calls") },
        "uri": format!("/{}/Accounts/{sid}.json", wire::API_VERSION),
    })
}

fn rented(sid: &str, number: &str, voice: bool) -> Value {
    let mut resource = numbered(sid, "IncomingPhoneNumbers", number);
    resource["capabilities"] = json!({ "voice": voice, "sms": true, "mms": false, "fax": false });
    resource["status"] = json!("in-use");
    resource["type"] = json!("local");
    resource
}

fn numbered(sid: &str, kind: &str, number: &str) -> Value {
    let digits = number.trim_start_matches('+');
    let name = format!("PN{digits:0>32}");
    json!({
        "sid": name,
        "account_sid": sid,
        "phone_number": number,
        "friendly_name": number,
        "date_created": rfc2822(MADE_MS),
        "date_updated": rfc2822(MADE_MS),
        "uri": format!("/{}/Accounts/{sid}/{kind}/{name}.json", wire::API_VERSION),
    })
}

/// All of them on one page: there are never more than fit.
fn page(sid: &str, kind: &str, name: &str, entries: impl Iterator<Item = Value>) -> Value {
    let entries: Vec<Value> = entries.collect();
    let uri = format!("{}?PageSize=50&Page=0", path(sid, kind));
    json!({
        name: entries,
        "page": 0,
        "page_size": 50,
        "start": 0,
        "end": entries.len().saturating_sub(1),
        "first_page_uri": uri,
        "next_page_uri": null,
        "previous_page_uri": null,
        "uri": uri,
    })
}

fn path(sid: &str, kind: &str) -> String {
    format!("/{}/Accounts/{sid}/{kind}.json", wire::API_VERSION)
}
