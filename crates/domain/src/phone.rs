//! Telephone numbers as E.164 writes them. Syntax only: whether a number exists is the carrier's
//! answer, and a country is never guessed.

use std::fmt;
use std::str::FromStr;

/// `+` and 8 to 15 ASCII digits, the first of them not 0 (ITU-T E.164, section 6). Shown masked,
/// so that no log line or panic message can carry a whole number; [`Phone::reveal`] gives it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phone(Box<str>);

/// The text is not a telephone number in E.164 form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be + and 8 to 15 digits, the first not 0, without spaces or separators, such as +15551230100")]
pub struct NotAPhone;

impl Phone {
    /// The whole number, for the carrier and for the owner of the call.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for Phone {
    type Err = NotAPhone;

    fn from_str(text: &str) -> Result<Phone, NotAPhone> {
        let digits = text.strip_prefix('+').ok_or(NotAPhone)?;
        let good = (8..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if good {
            Ok(Phone(text.into()))
        } else {
            Err(NotAPhone)
        }
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The first three and the last two characters tell a reader of logs enough.
        let (head, tail) = (&self.0[..3], &self.0[self.0.len() - 2..]);
        write!(f, "{head}{}{tail}", "*".repeat(self.0.len() - 5))
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text with every telephone number in it masked, for words of others that go into a log.
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(plus) = rest.find('+') {
        let (before, number) = rest.split_at(plus);
        let digits = number[1..].bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = number.split_at(1 + digits);
        out.push_str(before);
        match number.parse::<Phone>() {
            Ok(phone) => out.push_str(&phone.to_string()),
            Err(NotAPhone) => out.push_str(number),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
