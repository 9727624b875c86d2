//! Every bound of the call's life, each with its reason.

use std::time::Duration;

/// Longest carrier id taken: the usual have 34 characters, some carriers' about 100.
pub const SID_LENGTH: usize = 128;
/// Longest user id, in bytes: any reasonable key of another system, and index rows stay small.
pub const USER_ID_LENGTH: usize = 255;
/// Most attempts a call may ask for: beyond this nobody is being reached, only annoyed.
pub const MAX_ATTEMPTS: u32 = 20;
/// Most retry delays a call may list: one for each gap between that many attempts.
pub const RETRY_DELAYS: usize = MAX_ATTEMPTS as usize;
/// Longest single retry delay; a later call is a new call with `scheduled_at`.
pub const LONGEST_RETRY_DELAY: Duration = Duration::from_secs(30 * 86_400);
/// Carriers take ring time-outs of at most 600 s; below 5 s no phone has rung.
pub const RING_TIMEOUT_SECONDS: std::ops::RangeInclusive<u64> = 5..=600;
/// Talk limits: under a minute cuts people off, above four hours carriers cut off by themselves.
pub const TIME_LIMIT_SECONDS: std::ops::RangeInclusive<u64> = 60..=14_400;
/// Longest spoken message, in characters: carriers speak about 4 kB in one go.
pub const MESSAGE_LENGTH: usize = 4_000;
/// Longest `twiml`, in characters: no longer document goes along with a dial.
pub const TWIML_LENGTH: usize = 4_000;
/// Longest `url`, in bytes: carriers take no longer ones.
pub const URL_LENGTH: usize = 4_000;
/// Largest `metadata`, in bytes of JSON.
pub const METADATA_BYTES: usize = 4_096;
/// Furthest `scheduled_at`: a century, within which every sum of times holds.
pub const FURTHEST_SCHEDULE: Duration = Duration::from_secs(100 * 366 * 86_400);
/// Longest `give_up_after`: nobody wants to be rung about something a year old.
pub const LONGEST_GIVE_UP: Duration = Duration::from_secs(366 * 86_400);

/// First and longest gap between two tries of one attempt that was proven not sent.
pub const NOT_SENT_BACKOFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// First and longest gap between two look-ups of an attempt in doubt.
pub const DOUBT_GAP: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// First and longest gap between two look-ups of an attempt that is `unconfirmed`.
pub const UNCONFIRMED_GAP: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(3_600));
/// How long an `unconfirmed` attempt is asked about: a carrier's queue keeps a call for 24 h.
pub const UNCONFIRMED_FOR: Duration = Duration::from_secs(24 * 3_600);
/// Longest gap between two look-ups of a silent attempt; the first is the operator's setting.
pub const SILENCE_GAP: Duration = Duration::from_secs(3_600);
/// First and longest gap between two look-ups of a live attempt that no callback can reach: quick
/// enough to watch, slow enough for one request a call every few seconds.
pub const POLL_GAP: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));
/// After its deadline a live attempt without a final word is asked about this long before it is
/// called `unconfirmed`.
pub const AFTER_DEADLINE: Duration = Duration::from_secs(24 * 3_600);
/// A carrier may let it ring about this much longer than the ring time-out asked for.
pub const RING_SLACK: Duration = Duration::from_secs(5);
/// First and longest gap between two tries to hang up one leg.
pub const HANG_UP_GAP: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Wait before a dial to a pair (account, From, To) is tried again, whose last one is undecided.
pub const PAIR_GAP: Duration = Duration::from_millis(500);

/// The carrier's clock may differ from ours by this much before dialling stops.
pub const CLOCKS_APART: Duration = Duration::from_secs(30);
/// A leg found at the carrier belongs to a permit only when created at most this long before it, by
/// the carrier's clock: a dial may be sent by one that is so far ahead, and put right before the
/// carrier is asked. The carrier's dates have whole seconds, and what was compared may be some old.
pub const LEG_BEFORE_PERMIT: Duration = Duration::from_secs(35);
/// ... and at most this long after it: 2 s to the send, 10 s until the kernel drops what was not
/// delivered, 30 s for the answer, and as much again for the carrier and the clocks.
pub const LEG_AFTER_PERMIT: Duration = Duration::from_secs(90);

/// Most facts remembered for telling repeats; a leg has four events, so this many are noise.
pub const FACTS_REMEMBERED: usize = 32;
/// Most extra legs remembered for hanging up, so that a call's size stays bounded.
pub const EXTRAS: usize = 8;
/// Longest text kept of the carrier's or the network's words, in bytes.
pub const WORDS_KEPT: usize = 500;
