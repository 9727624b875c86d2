//! Promises about lists of calls.

use domain::{CallId, CallStatus, Input, Timestamp};
use store::{ListQuery, Page};

use crate::Factory;
use crate::given::{
    MINUTE, SECOND, START, World, all_of, busy, completed, phone, placed, refused, ringing, user,
};

/// A user without calls has an empty list.
pub async fn nobodys_list_is_empty(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    world.a_call().await;
    let page = world.page(all_of("bob")).await;
    assert_eq!((counted(&page), page.calls, page.next), (0, vec![], None));
}

/// Calls come newest first, and of calls of the same moment the greater id first, whatever the order
/// in which they came.
pub async fn the_newest_call_comes_first(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut made = Vec::new();
    for gap in [3, 0, 0, 1, 2, 0] {
        let mut new = world.new_call();
        let mut bytes = *new.id.as_bytes();
        // The last made has the smallest id.
        bytes[15] = 255 - bytes[15];
        new.id = CallId::from_bytes(bytes);
        world.pass(SECOND * gap);
        made.push((world.now, new.id));
        world.accepted(new).await;
    }
    made.sort();
    made.reverse();
    let page = world.page(all_of("ann")).await;
    let listed: Vec<_> = page.calls.iter().map(|row| (row.created_at, row.id)).collect();
    assert_eq!(listed, made);
}

/// A row shows its call as it stands.
pub async fn a_row_shows_its_call(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_live_call("CA1").await;
    world.heard(None, "CA1", busy()).await;
    let call = world.stands(id).await;
    let row = world.page(all_of("ann")).await.calls.remove(0);
    assert_eq!((row.id, row.created_at), (id, call.created_at));
    assert_eq!(row.to.reveal(), call.request.to.reveal());
    assert_eq!(
        (row.status, row.attempt_count, row.should_retry),
        (CallStatus::Busy, 1, true)
    );
    world.done(id, Input::Cancel).await;
    let row = world.page(all_of("ann")).await.calls.remove(0);
    assert_eq!((row.status, row.should_retry), (CallStatus::Canceled, false));
}

/// Walking a list page by page shows every call once, in order; the last page says that it is the
/// last, even when it is full.
pub async fn pages_show_every_call_once(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let all = many(&mut world, 12).await;
    for limit in [1, 4, 5, 11, 12, 13] {
        let mut query = all_of("ann");
        query.limit = limit;
        let mut seen = Vec::new();
        loop {
            let page = world.page(query.clone()).await;
            assert_eq!(counted(&page), 12, "the total is of all, not of the rest");
            assert!(page.calls.len() <= limit);
            seen.extend(ids(&page));
            let end = page.calls.last().map(|row| (row.created_at, row.id));
            assert_eq!(page.next.is_some(), seen.len() < 12, "after {} of 12", seen.len());
            let Some(next) = page.next else { break };
            assert_eq!(Some((next.created_at, next.id)), end);
            query.after = Some(next);
        }
        assert_eq!(seen, all, "{limit} at a time");
    }
}

/// An offset passes over as many calls, counted from the cursor where there is one.
pub async fn an_offset_passes_over_calls(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let all = many(&mut world, 7).await;
    let mut query = all_of("ann");
    query.limit = 2;
    for offset in [0, 1, 5, 6, 7, 100] {
        query.offset = offset;
        let page = world.page(query.clone()).await;
        let shown: Vec<_> = all.iter().copied().skip(offset).take(2).collect();
        assert_eq!((ids(&page), counted(&page)), (shown, 7), "from {offset}");
        assert_eq!(page.next.is_some(), offset < 5, "from {offset}");
    }
    query.offset = 0;
    query.after = world.page(query.clone()).await.next;
    query.offset = 1;
    assert_eq!(ids(&world.page(query).await), all[3..5]);
}

/// A call made while somebody walks the list does not shift what comes next.
pub async fn a_new_call_does_not_shift_the_next_page(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let all = many(&mut world, 6).await;
    let mut query = all_of("ann");
    query.limit = 3;
    let first = world.page(query.clone()).await;
    world.pass(SECOND);
    world.a_call().await;
    query.after = first.next;
    assert_eq!(ids(&world.page(query).await), all[3..]);
}

/// A list by status holds the calls of that status, and its total counts them.
pub async fn a_status_picks_its_calls(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let calls = one_of_each_status(&mut world).await;
    for status in CallStatus::ALL {
        let mut query = all_of("ann");
        query.status = Some(status);
        let page = world.page(query).await;
        let wanted = calls.iter().rev().filter(|(_, of)| *of == status);
        let wanted: Vec<_> = wanted.map(|(id, _)| *id).collect();
        assert_eq!(counted(&page), wanted.len() as u64, "{status:?}");
        assert_eq!(ids(&page), wanted, "{status:?}");
    }
}

/// The pages of a list by status fit together too, though calls of other statuses lie between.
pub async fn pages_of_a_status_show_every_call_once(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut live = Vec::new();
    for number in 0..9 {
        let name = format!("CA{number}");
        let id = world.a_live_call(&name).await;
        world.pass(SECOND);
        if number % 3 == 0 {
            world.heard(None, &name, ringing()).await;
            continue;
        }
        live.insert(0, id);
    }
    let mut query = all_of("ann");
    query.status = Some(CallStatus::Initiated);
    query.limit = 2;
    let mut seen = Vec::new();
    loop {
        let page = world.page(query.clone()).await;
        assert_eq!(counted(&page), 6);
        seen.extend(ids(&page));
        assert_eq!(page.next.is_some(), seen.len() < 6, "after {}", seen.len());
        let Some(next) = page.next else { break };
        query.after = Some(next);
    }
    assert_eq!(seen, live);
}

/// Totals follow every change of a status, of each user apart.
pub async fn totals_follow_every_change(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let id = world.a_dial().await;
    let mut other = world.new_call();
    other.request.user_id = user("bob");
    world.accepted(other).await;
    let steps = [
        (placed(1, "CA1"), CallStatus::Initiated),
        (Input::Cancel, CallStatus::Initiated),
    ];
    for (input, status) in steps {
        world.done(id, input).await;
        assert_eq!(totals(&world, "ann").await, [(status, 1)]);
    }
    world.heard(None, "CA1", ringing()).await;
    assert_eq!(totals(&world, "ann").await, [(CallStatus::Ringing, 1)]);
    world.heard(None, "CA1", completed()).await;
    assert_eq!(totals(&world, "ann").await, [(CallStatus::Canceled, 1)]);
    assert_eq!(totals(&world, "bob").await, [(CallStatus::Queued, 1)]);
    assert_eq!(counted(&world.page(all_of("ann")).await), 1);
}

/// A list by number holds the calls to it; together with other filters, those that fit all.
pub async fn a_number_picks_its_calls(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let mut wanted = Vec::new();
    for number in [900, 901, 900, 900] {
        let mut new = world.new_call();
        new.request.to = phone(number);
        let id = world.accepted(new).await.id;
        world.pass(SECOND);
        if number == 900 {
            wanted.insert(0, id);
        }
    }
    let mut query = all_of("ann");
    query.to = Some(phone(900));
    let page = world.page(query.clone()).await;
    assert_eq!((ids(&page), counted(&page)), (wanted.clone(), 3));
    world.done(wanted[1], Input::Cancel).await;
    query.status = Some(CallStatus::Queued);
    let page = world.page(query.clone()).await;
    assert_eq!((ids(&page), counted(&page)), (vec![wanted[0], wanted[2]], 2));
    query.limit = 1;
    let page = world.page(query.clone()).await;
    assert_eq!((ids(&page), counted(&page)), (vec![wanted[0]], 2));
    query.after = page.next;
    let page = world.page(query).await;
    assert_eq!((ids(&page), page.next), (vec![wanted[2]], None));
}

/// A span of time holds its first moment and not its last.
pub async fn a_span_of_time_picks_its_calls(factory: &dyn Factory) {
    let mut world = World::new(factory).await;
    let all = many(&mut world, 5).await;
    let at = |second: u32| Some(START + SECOND * second);
    let spans: [(Option<Timestamp>, Option<Timestamp>, &[CallId]); 6] = [
        (at(1), None, &all[..4]),
        (None, at(1), &all[4..]),
        (at(1), at(3), &all[2..4]),
        (at(3), at(3), &[]),
        (at(4), at(1), &[]),
        (at(0), at(5), &all),
    ];
    for (created_after, created_before, wanted) in spans {
        let query = ListQuery {
            created_after,
            created_before,
            ..all_of("ann")
        };
        let page = world.page(query).await;
        assert_eq!(ids(&page), wanted, "{created_after:?} to {created_before:?}");
        assert_eq!(counted(&page), wanted.len() as u64);
    }
}

/// So many calls of one user, one a second from the start; the newest first.
async fn many(world: &mut World<'_>, number: usize) -> Vec<CallId> {
    let mut made = Vec::new();
    for _ in 0..number {
        made.insert(0, world.a_call().await);
        let mut foreign = world.new_call();
        foreign.request.user_id = user("bob");
        world.accepted(foreign).await;
        world.pass(SECOND);
    }
    made
}

async fn one_of_each_status(world: &mut World<'_>) -> Vec<(CallId, CallStatus)> {
    let mut calls = vec![(world.a_call().await, CallStatus::Queued)];
    world.pass(SECOND);
    let rejected = world.a_dial().await;
    world.done(rejected, refused(1)).await;
    calls.push((rejected, CallStatus::Failed));
    for (name, fact, status) in [
        ("CA1", ringing(), CallStatus::Ringing),
        ("CA2", busy(), CallStatus::Busy),
        ("CA3", completed(), CallStatus::Completed),
        ("CA4", ringing(), CallStatus::Ringing),
    ] {
        world.pass(SECOND);
        let id = world.a_live_call(name).await;
        world.heard(None, name, fact).await;
        calls.push((id, status));
    }
    world.pass(SECOND);
    calls.push((world.a_doubtful_call().await, CallStatus::Initiated));
    world.pass(MINUTE);
    let canceled = world.a_call().await;
    world.done(canceled, Input::Cancel).await;
    calls.push((canceled, CallStatus::Canceled));
    calls
}

/// The statuses that a user has calls of, and how many.
async fn totals(world: &World<'_>, name: &str) -> Vec<(CallStatus, u64)> {
    let mut totals = Vec::new();
    for status in CallStatus::ALL {
        let mut query = all_of(name);
        query.status = Some(status);
        let count = counted(&world.page(query).await);
        if count > 0 {
            totals.push((status, count));
        }
    }
    totals
}

fn ids(page: &Page) -> Vec<CallId> {
    page.calls.iter().map(|row| row.id).collect()
}

/// The total of a list so short that it must be exact.
fn counted(page: &Page) -> u64 {
    assert!(!page.total.at_least, "{:?}", page.total);
    page.total.count
}
