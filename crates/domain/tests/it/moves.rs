//! What may happen to a call, chosen at random: first by roles (this attempt, an earlier one), so that
//! a short random history reaches deep states; [`crate::world`] gives the roles their numbers.

use std::time::Duration;

use domain::retry::RetryOn;
use domain::{AttemptStatus, HoldReason, MachineDetection, Policy, Request, Rules, Timestamp, UserId, Word};
use proptest::prelude::*;

/// When every call is accepted.
pub const START: Timestamp = Timestamp::from_millis(1_795_341_600_000);

/// Which attempt a happening is about.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    /// The one whose permit is out, else the newest.
    This,
    /// The very first.
    First,
    /// The one that would come next.
    Next,
    /// One that cannot be.
    Beyond,
}

/// Which leg a happening is about.
#[derive(Debug, Clone, Copy)]
pub enum Whose {
    /// The attempt's own.
    Own,
    /// One too many of the attempt.
    Stray,
    /// The very first attempt's.
    FirstOnes,
}

/// What the carrier answers when asked.
#[derive(Debug, Clone)]
pub enum Reply {
    Leg(Word),
    Listed(Word),
    ListedTwice,
    Nothing,
    Failed,
}

/// How far time moves.
#[derive(Debug, Clone, Copy)]
pub enum Wait {
    For(Duration),
    UntilDue,
    UntilCheck,
}

/// One thing that happens.
#[derive(Debug, Clone)]
pub enum Move {
    Wait(Wait),
    Due,
    Held(HoldReason, Option<Duration>),
    NotSent(Which, HoldReason, Option<Duration>),
    Placed(Which, Whose),
    Refused(Which),
    InDoubt(Which),
    Heard {
        named: Option<Which>,
        whose: Whose,
        word: Word,
        sequence: Option<u32>,
    },
    Misdirected(Which),
    /// Asked about an attempt; the question was begun so long ago.
    Asked(Which, Duration, Reply),
    /// All work that the call needs now is done, and the carrier answers so.
    Work(Reply),
    HungUp(bool),
    Cancel,
    GiveUp,
}

/// A call's beginning: what was asked, under which rules.
#[derive(Debug, Clone)]
pub struct Start {
    pub request: Request,
    pub rules: Rules,
}

pub fn start() -> impl Strategy<Value = Start> {
    let policy = (
        1_u32..=4,
        any::<[bool; 3]>(),
        prop_oneof![Just(vec![120, 300, 600]), Just(vec![1])],
        60_u64..100_000,
    );
    let scheduled_at =
        prop::option::weighted(0.2, (0_u64..10_000).prop_map(|s| START + Duration::from_secs(s)));
    (policy, scheduled_at, prop::bool::weighted(0.2), any::<bool>()).prop_map(
        |(policy, scheduled_at, stop, poll)| {
            let (max_attempts, [busy, no_answer, failed], delays, give_up) = policy;
            let policy = Policy {
                max_attempts,
                retry_delays: delays.into_iter().map(Duration::from_secs).collect(),
                retry_on: RetryOn {
                    busy,
                    no_answer,
                    failed,
                },
                ring_timeout: Duration::from_secs(60),
                time_limit: Duration::from_secs(14_400),
                give_up_after: Duration::from_secs(give_up),
                machine_detection: MachineDetection::Off,
            };
            let rules = Rules {
                settle_after: Duration::from_secs(120),
                silence_after: Duration::from_secs(120),
                stop_on_unconfirmed: stop,
                poll,
            };
            Start {
                request: request(policy, scheduled_at),
                rules,
            }
        },
    )
}

fn request(policy: Policy, scheduled_at: Option<Timestamp>) -> Request {
    Request {
        user_id: UserId::new("user-1").expect("a valid id"),
        to: "+15551230100".parse().expect("a valid number"),
        from: "+15551230000".parse().expect("a valid number"),
        script: None,
        policy,
        scheduled_at,
        given: None,
    }
}

/// Anything, plausible or not, in any order.
pub fn anything() -> BoxedStrategy<Move> {
    prop_oneof![
        4 => usual(),
        1 => (which(), reason(), wish()).prop_map(|(which, reason, wish)| Move::NotSent(which, reason, wish)),
        1 => (which(), whose()).prop_map(|(which, whose)| Move::Placed(which, whose)),
        1 => which().prop_map(Move::Refused),
        1 => which().prop_map(Move::InDoubt),
        2 => (prop::option::weighted(0.8, which()), whose(), word(), sequence())
            .prop_map(|(named, whose, word, sequence)| Move::Heard { named, whose, word, sequence }),
        1 => which().prop_map(Move::Misdirected),
        2 => (which(), age(), reply()).prop_map(|(which, age, reply)| Move::Asked(which, age, reply)),
        1 => any::<bool>().prop_map(Move::HungUp),
    ]
    .boxed()
}

/// What happens in a world with an ordinary share of trouble.
pub fn usual() -> BoxedStrategy<Move> {
    let this = || Just(Which::This);
    prop_oneof![
        4 => Just(Move::Wait(Wait::UntilDue)),
        3 => Just(Move::Wait(Wait::UntilCheck)),
        2 => (0_u64..200_000).prop_map(|ms| Move::Wait(Wait::For(Duration::from_millis(ms)))),
        1 => (0_u64..50).prop_map(|hours| Move::Wait(Wait::For(Duration::from_secs(hours * 3_600)))),
        8 => Just(Move::Due),
        1 => (reason(), wish()).prop_map(|(reason, wish)| Move::Held(reason, wish)),
        2 => (reason(), wish()).prop_map(|(reason, wish)| Move::NotSent(Which::This, reason, wish)),
        5 => Just(Move::Placed(Which::This, Whose::Own)),
        1 => this().prop_map(Move::Refused),
        4 => this().prop_map(Move::InDoubt),
        6 => (word(), sequence()).prop_map(|(word, sequence)| Move::Heard {
            named: Some(Which::This), whose: Whose::Own, word, sequence,
        }),
        2 => (word(), sequence()).prop_map(|(word, sequence)| Move::Heard {
            named: Some(Which::First), whose: Whose::Own, word, sequence,
        }),
        6 => reply().prop_map(Move::Work),
        1 => prop_oneof![1 => Just(Move::Cancel), 3 => Just(Move::GiveUp)],
    ]
    .boxed()
}

/// A final word, or now and then another.
pub fn word() -> BoxedStrategy<Word> {
    use AttemptStatus::*;
    let known = |statuses: Vec<AttemptStatus>| prop::sample::select(statuses).prop_map(Word::Known);
    prop_oneof![
        4 => known(vec![Initiated, Ringing, InProgress]),
        5 => known(vec![Busy, NoAnswer, Failed, Completed, Canceled]),
        1 => prop_oneof![Just(Word::Queued), Just(Word::Other("parked".into()))],
    ]
    .boxed()
}

pub fn sequence() -> impl Strategy<Value = Option<u32>> {
    prop::option::weighted(0.7, 0_u32..4)
}

pub fn reply() -> BoxedStrategy<Reply> {
    prop_oneof![
        3 => word().prop_map(Reply::Leg),
        2 => word().prop_map(Reply::Listed),
        1 => Just(Reply::ListedTwice),
        5 => Just(Reply::Nothing),
        1 => Just(Reply::Failed),
    ]
    .boxed()
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![4 => Just(Which::This), 2 => Just(Which::First), 1 => Just(Which::Next), 1 => Just(Which::Beyond)]
}

fn whose() -> impl Strategy<Value = Whose> {
    prop_oneof![4 => Just(Whose::Own), 2 => Just(Whose::Stray), 1 => Just(Whose::FirstOnes)]
}

fn reason() -> impl Strategy<Value = HoldReason> {
    prop::sample::select(vec![
        HoldReason::Carrier,
        HoldReason::Pair,
        HoldReason::Account,
        HoldReason::Pace,
    ])
}

fn wish() -> impl Strategy<Value = Option<Duration>> {
    prop::option::weighted(0.3, (1_u64..100_000).prop_map(Duration::from_millis))
}

fn age() -> impl Strategy<Value = Duration> {
    prop_oneof![2 => Just(Duration::ZERO), 1 => (0_u64..300).prop_map(Duration::from_secs)]
}
