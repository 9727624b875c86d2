//! Calls to be written, the same for every measurement of a store.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use domain::retry::RetryOn;
use domain::{CallId, MachineDetection, Policy, Request, Rules, Sid, Timestamp, UserId};
use store::{At, NewCall, Terms};

/// When all of it happens.
pub const NOW: Timestamp = Timestamp::from_millis(1_795_341_600_000);
/// Users that the calls are spread over.
const USERS: u32 = 500;

/// Whatever goes wrong ends the measurement.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Nothing stands in a dial's way.
pub fn terms() -> Terms {
    Terms {
        account: "AC1".to_owned(),
        max_live: None,
        pace_clear_at: NOW,
        held: None,
    }
}

/// The moment and the rules of every step.
pub fn at() -> At {
    let rules = Rules {
        settle_after: Duration::from_secs(120),
        silence_after: Duration::from_secs(120),
        stop_on_unconfirmed: false,
        poll: false,
    };
    At {
        now: NOW,
        dice: 7,
        rules: Arc::new(rules),
    }
}

/// A call's name, as young as its number is high.
pub fn id(number: u32) -> CallId {
    let mut chance = [0; 10];
    chance[6..].copy_from_slice(&number.to_be_bytes());
    CallId::new(NOW + Duration::from_millis(u64::from(number)), chance)
}

/// A leg's name, spread like the carrier's own, which follow no order.
pub fn sid(number: u32) -> Result<Sid, Failure> {
    let spread = u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    Sid::new(&format!("CA{spread:032x}")).ok_or_else(|| "no leg's name".into())
}

/// A call that may be retried three times.
pub fn new_call(number: u32, permit: Option<Terms>) -> Result<NewCall, Failure> {
    let policy = Policy {
        max_attempts: 3,
        retry_delays: vec![
            Duration::from_secs(120),
            Duration::from_secs(300),
            Duration::from_secs(600),
        ],
        retry_on: RetryOn::default(),
        ring_timeout: Duration::from_secs(60),
        time_limit: Duration::from_secs(14_400),
        give_up_after: Duration::from_secs(86_400),
        machine_detection: MachineDetection::Off,
    };
    let request = Request {
        user_id: UserId::new(&format!("user-{}", number % USERS)).ok_or("no user id")?,
        to: format!("+1555{:07}", number.wrapping_mul(7_919) % 10_000_000).parse()?,
        from: "+15550000000".parse()?,
        script: None,
        policy,
        scheduled_at: None,
        given: None,
    };
    Ok(NewCall {
        id: id(number),
        request,
        key: None,
        permit,
    })
}
