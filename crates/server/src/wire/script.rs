//! What a call is to say, from JSON: a message, a document of its own, or the address of one.

use domain::{Script, limits};
use http::Uri;
use serde_json::json;

use super::fields::Fields;
use crate::error::{ApiError, Code};
use crate::state::App;

/// Longest language tag or voice name: the longest that carriers have is about half of this.
pub(crate) const VOICE_LENGTH: usize = 100;

/// Reads `message` (with `language`, `voice`), `twiml` or `url`; `None` when the call brings none.
pub(crate) fn read(fields: &mut Fields, app: &App) -> Result<Option<Script>, ApiError> {
    let message = fields.text("message", limits::MESSAGE_LENGTH)?;
    let twiml = fields.text("twiml", limits::TWIML_LENGTH)?;
    let url = fields.text("url", limits::URL_LENGTH)?;
    let language = fields.text("language", VOICE_LENGTH)?;
    let voice = fields.text("voice", VOICE_LENGTH)?;
    for (name, value) in [("language", &language), ("voice", &voice)] {
        if value.is_some() && message.is_none() {
            return Err(ApiError::field(name, "goes with a message only"));
        }
    }
    let script = match (message, twiml, url) {
        (None, None, None) => return Ok(None),
        (Some(message), None, None) => Script::Say {
            message: speakable(message)?,
            language: language.or_else(|| app.say_language.clone()),
            voice: voice.or_else(|| app.say_voice.clone()),
        },
        (None, Some(twiml), None) => Script::Document(twiml),
        (None, None, Some(url)) => Script::Url(address(url)?),
        _ => {
            let message = "message, twiml, url: only one of them can be what the call says";
            return Err(ApiError::new(Code::InvalidField, message).with("field", json!("message")));
        }
    };
    let fault = |fault: engine::ScriptFault| ApiError::field(fault.field, fault.problem);
    app.engine.carrier().check(&script).map_err(fault)?;
    Ok(Some(script))
}

/// A text that XML can carry (XML 1.0, production 2, `Char`), because that is how it travels.
fn speakable(message: String) -> Result<String, ApiError> {
    let carried = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    match message.chars().find(|c| !carried(*c)) {
        None => Ok(message),
        Some(c) => {
            let problem = format_args!(
                "holds the control character U+{:04X}, which cannot be spoken",
                u32::from(c)
            );
            Err(ApiError::field("message", problem))
        }
    }
}

fn address(url: String) -> Result<String, ApiError> {
    let parsed: Option<Uri> = url.parse().ok();
    let good = parsed.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    match good && url.len() <= limits::URL_LENGTH {
        true => Ok(url),
        false => Err(ApiError::field(
            "url",
            "must be an absolute http:// or https:// address",
        )),
    }
}
