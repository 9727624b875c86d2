//! Invented people: what happens at each number is chosen by its last four digits.

use domain::{Phone, Policy, Request, Script, UserId};

/// The scripted endings of the simulated carrier.
const ENDINGS: u32 = 20;
const FIRST_ENDING: u32 = 100;
/// So many numbers have a script, the rest draw their story.
const SCRIPTED: u32 = 120;

/// The call to the n-th person.
pub fn request(n: u32, policy: &Policy) -> Request {
    let ending = if n < SCRIPTED {
        FIRST_ENDING + n % ENDINGS
    } else {
        2_000 + n % 7_000
    };
    let phone = |text: String| text.parse::<Phone>().expect("invented numbers are well-formed");
    let message = format!("Hello, person {}. This is a demonstration.", n + 1);
    Request {
        user_id: UserId::new("demo").expect("a short word"),
        to: phone(format!("+1555{:05}{ending:04}", n % 100_000)),
        from: phone("+15550000001".to_owned()),
        script: Some(Script::Say {
            message,
            language: None,
            voice: None,
        }),
        policy: policy.clone(),
        scheduled_at: None,
        given: None,
    }
}
