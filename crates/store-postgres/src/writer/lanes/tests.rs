//! Who goes first, who is refused, who is left.

use super::super::job::job;
use super::*;

fn work() -> Box<dyn Job> {
    job(|_| Ok(())).0
}

fn asked(lanes: &Lanes, many: usize) -> Result<(), Refused> {
    (0..many).try_for_each(|_| lanes.push_asked(work()))
}

async fn happened(lanes: &Lanes, many: usize) {
    for _ in 0..many {
        lanes.push_happened(work()).await.expect("room");
    }
}

#[tokio::test]
async fn a_batch_takes_what_waits_and_leaves_the_second_lane_its_share() {
    let lanes = Lanes::new(2_000, 2_000);
    happened(&lanes, 600).await;
    asked(&lanes, 100).expect("room");
    let sizes = [lanes.take().await, lanes.take().await].map(|batch| batch.map(|it| it.len()));
    assert_eq!(sizes, [Some(BATCH), Some(700 - BATCH)]);
}

#[tokio::test]
async fn beyond_its_bound_the_second_lane_refuses() {
    let lanes = Lanes::new(1, 3);
    asked(&lanes, 3).expect("room");
    assert_eq!(asked(&lanes, 1), Err(Refused::Full));
    lanes.take().await.expect("a batch");
    asked(&lanes, 3).expect("room again");
}

#[tokio::test]
async fn a_batch_makes_room_in_the_first_lane() {
    let lanes = Lanes::new(2, 1);
    happened(&lanes, 2).await;
    let (_, taken) = tokio::join!(happened(&lanes, 1), lanes.take());
    assert_eq!(taken.map(|batch| batch.len()), Some(2));
}

#[tokio::test]
async fn closed_lanes_hand_out_what_waits_and_take_nothing_more() {
    let lanes = Lanes::new(2, 2);
    happened(&lanes, 1).await;
    lanes.close();
    assert_eq!(lanes.push_happened(work()).await, Err(Refused::Closed));
    assert_eq!(asked(&lanes, 1), Err(Refused::Closed));
    assert_eq!(lanes.take().await.map(|batch| batch.len()), Some(1));
    assert!(lanes.take().await.is_none());
}

#[tokio::test]
async fn whoever_waits_for_work_is_told_of_the_end() {
    let lanes = Lanes::new(1, 1);
    let (taken, ()) = tokio::join!(lanes.take(), async { lanes.close() });
    assert!(taken.is_none());
}
