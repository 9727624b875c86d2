//! What every store promises, one test to a promise, and the simplest store that keeps them all
//! ([`model::Model`]). A store passes when every test that [`tests!`] makes of it passes; its
//! differences belong in its documentation, never in a test left out.
//!
//! ```
//! # fn main() {} // the tests below are for `cargo test`
//! use std::sync::Arc;
//!
//! use domain::Timestamp;
//! use store::Store;
//! use store_contract::{Factory, model::Model};
//!
//! /// A database of its own for each test: a file in a temporary folder, say.
//! struct Fresh(Arc<Model>);
//!
//! #[async_trait::async_trait]
//! impl Factory for Fresh {
//!     async fn open(&self) -> Arc<dyn Store> {
//!         self.0.clone()
//!     }
//! }
//!
//! async fn fresh() -> Fresh {
//!     Fresh(Arc::new(Model::new(Timestamp::from_millis(0))))
//! }
//!
//! store_contract::tests!(fresh().await);
//! ```

pub mod calls;
pub mod dialling;
pub mod facts;
mod given;
pub mod imports;
pub mod keys;
pub mod legs;
pub mod model;
pub mod orphans;
pub mod pages;
pub mod pairs;
pub mod permits;
pub mod queues;
pub mod random;
pub mod rate;
pub mod reopen;
pub mod restored;
pub mod together;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use store::Store;

/// Longest that one promise may take. Many times what a slow disk needs, so that whoever waits
/// longer waits for ever.
const LONGEST: Duration = Duration::from_secs(300);

/// Where the store under test comes from: one of these is one database, empty at first.
#[async_trait]
pub trait Factory: Send + Sync {
    /// Opens the database, with the right to dial.
    async fn open(&self) -> Arc<dyn Store>;

    /// Closes the database as a process that ends does, and opens it again. Whoever must wait until
    /// the old one has let go of its files waits here.
    async fn reopen(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        if let Some(together) = store.together() {
            together.leave().await.expect("a process that ends can leave");
        }
        drop(store);
        self.open().await
    }
}

/// A database that any number of processes may have open at once, each of which opens it.
#[async_trait]
pub trait Several: Factory {
    /// Puts another server in the place of the one that was dialled from last.
    async fn take_over(&self);
}

/// Runs one promise to its end; the tests that [`tests!`] makes call it.
///
/// # Panics
/// When the promise is not kept, or takes longer than anything should.
pub fn run(promise: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("two threads can be started");
    let kept = runtime.block_on(async { tokio::time::timeout(LONGEST, promise).await });
    assert!(kept.is_ok(), "not done within {LONGEST:?}");
}

/// Makes a test of every promise. Takes an expression that gives a fresh [`Factory`]; it is
/// evaluated once for each test, inside an asynchronous block, so that it may wait.
#[macro_export]
macro_rules! tests {
    ($factory:expr) => {
        $crate::tests! { $factory;
            calls {
                a_call_is_kept_as_it_was_asked_for
                a_call_that_nobody_took_is_not_there
                a_call_is_shown_to_its_own_user_alone
                a_whole_life_is_told_in_order
                a_refused_step_changes_nothing
                a_canceled_call_is_over
                many_calls_at_once_are_all_taken
                steps_at_once_are_taken_one_by_one
                a_long_history_is_told_whole
            }
            dialling {
                a_fresh_store_is_at_rest
                a_pause_says_since_when
                an_account_hold_is_kept_until_it_is_lifted
                live_calls_are_counted
                work_is_counted_by_kind
            }
            facts {
                a_fact_finds_its_attempt_by_the_leg
                a_fact_that_overtakes_the_answer_binds_the_leg
                a_fact_settles_a_doubt
                a_leg_believed_not_sent_is_taken
                a_repeated_fact_is_known
                a_late_fact_is_taken
                a_second_leg_is_to_be_hung_up
                a_fact_for_another_call_is_misdirected
                a_fact_for_another_attempt_is_misdirected
                a_fact_for_no_call_is_misdirected
                a_leg_is_never_two_attempts
            }
            imports {
                an_imported_call_is_told_as_it_stood
                an_imported_call_keeps_its_old_name
                imported_calls_are_listed_and_counted
                an_imported_retry_is_due_at_its_time
                an_imported_attempt_is_never_sent_again
                an_imported_live_call_is_to_be_asked_about
                a_late_callback_finds_an_imported_leg
                an_orphan_is_applied_when_its_leg_is_imported
                what_is_there_already_is_not_imported
                a_leg_that_another_call_has_is_not_imported
                imported_calls_outlive_the_process
            }
            keys {
                a_repeat_finds_its_call_as_it_stands
                a_repeat_changes_nothing
                a_key_belongs_to_one_request
                other_keys_make_other_calls
                of_many_repeats_at_once_one_is_new
            }
            legs {
                a_leg_that_is_found_is_bound
                a_leg_that_another_attempt_has_is_left_out
                of_two_that_fit_none_is_taken
                a_leg_made_after_the_next_permit_is_left_out
                a_permit_given_back_claims_no_leg
                other_pairs_claim_no_leg
            }
            orphans {
                a_fact_of_an_unknown_leg_is_kept
                an_orphan_is_applied_when_its_leg_is_placed
                an_orphan_is_applied_when_its_leg_is_named
                an_orphan_is_applied_when_its_leg_is_found
                an_orphan_is_applied_once
                an_orphan_is_applied_when_its_attempt_is_known
                an_orphan_may_be_older_than_its_call
                an_orphan_may_turn_out_misdirected
            }
            pages {
                nobodys_list_is_empty
                the_newest_call_comes_first
                a_row_shows_its_call
                pages_show_every_call_once
                an_offset_passes_over_calls
                a_new_call_does_not_shift_the_next_page
                a_status_picks_its_calls
                pages_of_a_status_show_every_call_once
                totals_follow_every_change
                a_number_picks_its_calls
                a_span_of_time_picks_its_calls
            }
            pairs {
                of_many_to_one_person_at_once_one_is_granted
                a_second_dial_between_two_numbers_waits
                a_decided_dial_frees_the_pair
                an_unconfirmed_dial_frees_the_pair
                other_pairs_do_not_wait
                a_new_call_waits_for_its_pair
            }
            permits {
                a_due_call_is_granted_its_permit
                a_permit_is_granted_once
                a_step_grants_no_permit
                what_held_a_dial_back_is_told_with_its_permit
                of_many_that_ask_at_once_one_is_granted
                a_dial_is_sent_in_its_time_only
                a_call_that_is_over_is_never_dialled
                every_attempt_has_its_own_permit
                a_permit_given_back_is_granted_again
                a_pause_stops_every_permit
                the_live_limit_is_kept
                a_new_call_is_permitted_at_once
                obstacles_are_told_in_order
                only_a_permit_moves_the_pace
            }
            queues {
                the_longest_due_comes_first
                a_scheduled_call_is_due_at_its_time
                a_call_is_due_while_it_waits_and_no_longer
                the_next_dial_is_told
                no_look_comes_late
                the_next_look_is_told_in_time
                a_look_that_was_put_off_comes_when_it_is_needed
                a_call_that_needs_nothing_is_not_listed
                looks_come_in_portions
            }
            random {
                an_ordinary_day_goes_as_in_the_model
                a_crowd_goes_as_in_the_model
                a_bad_line_goes_as_in_the_model
                confusion_goes_as_in_the_model
            }
            reopen {
                calls_outlive_the_process
                permits_outlive_the_process
                keys_outlive_the_process
                facts_outlive_the_process
                the_dialling_outlives_the_process
                queues_and_lists_outlive_the_process
            }
            restored {
                a_copy_grants_no_permit_until_it_is_made_good
                that_it_is_a_copy_outlives_the_process
                calls_between_two_numbers_are_told_while_they_are_unsettled
                a_forgotten_dial_is_taken_in_with_what_was_said_of_it
                a_leg_that_somebody_has_is_taken_in_by_nobody
            }
        }
    };
    ($factory:expr; $($file:ident { $($promise:ident)* })*) => {
        $(
            mod $file {
                #[allow(unused_imports)]
                use super::*;
                $(
                    #[test]
                    fn $promise() {
                        $crate::run(async {
                            let factory = $factory;
                            $crate::$file::$promise(&factory).await;
                        });
                    }
                )*
            }
        )*
    };
}

/// Makes a test of every promise of a store that several processes share. Takes an expression that gives a fresh
/// [`Several`].
#[macro_export]
macro_rules! tests_together {
    ($factory:expr) => {
        $crate::tests! { $factory;
            together {
                a_due_call_is_told_to_one_process_at_a_time
                what_a_silent_process_was_told_of_another_is_told_after_a_while
                what_is_told_again_at_once_is_kept_no_longer
                a_portion_is_filled_with_what_nobody_was_told_of
                a_process_that_leaves_leaves_its_calls_to_the_others
                a_call_in_doubt_is_looked_at_by_one_process_at_a_time
                a_permit_is_granted_to_whoever_asks_first
                the_pace_of_all_together_is_that_of_one
                one_process_leads_until_it_says_nothing_any_more
                another_server_in_its_place_stops_all_dialling_and_says_up_to_when_it_knows
                a_server_that_nobody_noticed_is_not_made_good
                a_due_call_and_a_pause_are_told_to_the_others
            }
        }
    };
}

#[cfg(test)]
mod tests;
