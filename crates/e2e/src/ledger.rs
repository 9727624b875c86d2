//! The simulated carrier's ledger: every call that it really placed, in order. The truth that records are held
//! against.

use serde_json::Value;

/// One phone that rang, or would have.
#[derive(Clone, Debug)]
pub struct Ring {
    /// The number called.
    pub to: String,
    /// The number shown.
    pub from: String,
    /// The carrier's name for the call.
    pub sid: String,
    /// Where it stands, in the carrier's words.
    pub status: String,
    /// When the carrier accepted it, ISO 8601.
    pub created_at: String,
    /// Where the carrier asks what to say; empty when the document came with the request.
    pub url: String,
    /// Where the carrier reports to; empty when it was not asked to.
    pub status_callback: String,
}

impl Ring {
    /// Reads one row of the ledger.
    ///
    /// # Panics
    /// When a field is missing.
    pub fn read(row: &Value) -> Self {
        let required = |name: &str| {
            row[name]
                .as_str()
                .unwrap_or_else(|| panic!("no `{name}` in {row}"))
                .to_owned()
        };
        let optional = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        Self {
            to: required("to"),
            from: required("from"),
            sid: required("sid"),
            status: required("status"),
            created_at: required("created_at"),
            url: optional("url"),
            status_callback: optional("status_callback"),
        }
    }

    /// The call and attempt that this ring's URLs name.
    ///
    /// # Panics
    /// When they name none, or the two URLs name different ones.
    pub fn names(&self) -> (String, u64) {
        let reported =
            names(&self.status_callback).unwrap_or_else(|| panic!("no call and attempt in {self:?}"));
        if let Some(asked) = names(&self.url) {
            assert_eq!(
                asked, reported,
                "the two URLs of one dial name different attempts: {self:?}"
            );
        }
        reported
    }
}

/// The call and the attempt that an address of a dial names.
pub fn names(url: &str) -> Option<(String, u64)> {
    let query = url.split_once('?')?.1.split('#').next()?;
    let value = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(query.as_bytes());
        pairs
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    Some((value("call")?, value("attempt")?.parse().ok()?))
}
