//! `GET /users/:userId/calls`.

use serde_json::{Value, json};

use crate::world::{World, body, later};

async fn world_of(count: usize) -> World {
    let world = World::new().await;
    for _ in 0..count {
        assert_eq!(world.create(&later()).await.status, 202);
    }
    world
}

fn ids(page: &Value) -> Vec<String> {
    let calls = page["calls"]
        .as_array()
        .unwrap_or_else(|| panic!("`calls` is a list: {page}"));
    calls.iter().map(|it| it["call_id"].to_string()).collect()
}

#[tokio::test]
async fn a_page_has_exactly_the_promised_fields() {
    let world = world_of(1).await;
    let mut page = world.get("/users/u1/calls").await.json();
    page["calls"][0]["call_id"].take();
    let expected = json!({
        "user_id": "u1", "total": 1, "limit": 50, "offset": 0, "next_cursor": null,
        "calls": [{
            "call_id": null, "to": "+15550000100", "status": "queued", "attempt_count": 0, "should_retry": false,
            "created_at": "2026-11-22T10:00:00.000Z",
        }],
    });
    assert_eq!(page, expected);
}

#[tokio::test]
async fn pages_by_offset_and_by_cursor_show_each_call_once() {
    let world = world_of(5).await;
    let all = ids(&world.get("/users/u1/calls").await.json());
    let mut sorted = all.clone();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(all, sorted, "of one moment: by id, descending");
    let mut by_offset = Vec::new();
    for offset in [0, 2, 4, 6] {
        by_offset.extend(ids(&world
            .get(&format!("/users/u1/calls?limit=2&offset={offset}"))
            .await
            .json()));
    }
    assert_eq!(by_offset, all);
    let mut by_cursor = Vec::new();
    let mut path = "/users/u1/calls?limit=2".to_owned();
    while by_cursor.len() <= all.len() {
        let page = world.get(&path).await.json();
        by_cursor.extend(ids(&page));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/users/u1/calls?limit=2&cursor={cursor}");
    }
    assert_eq!(by_cursor, all);
}

#[tokio::test]
async fn filters_pick_what_they_name() {
    let world = world_of(2).await;
    world.create(&body(json!({"to": "+15550000101"}))).await;
    let cases = [
        ("status=queued", 2),
        ("status=initiated", 1),
        ("status=no-answer", 0),
        ("to=%2B15550000101", 1),
        ("to=+15550000101", 1),
        ("created_after=2026-11-22T10:00:00Z", 3),
        ("created_before=2026-11-22T10:00:00Z", 0),
        ("created_after=2026-11-22T11:00:00%2B01:00", 3),
        ("", 3),
    ];
    for (query, total) in cases {
        let page = world.get(&format!("/users/u1/calls?{query}")).await.json();
        assert_eq!(
            (&page["total"], ids(&page).len()),
            (&json!(total), total),
            "{query}: {page}"
        );
    }
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused_by_name() {
    let world = world_of(1).await;
    let queries = [
        "limit=0",
        "limit=501",
        "limit=-1",
        "limit=many",
        "limit=",
        "offset=-1",
        "offset=x",
        "offset=4294967296",
        "status=nonsense",
        "status=",
        "status=Queued",
        "cursor=%00",
        "cursor=",
        "cursor=AAAA",
        "to=nobody",
        "created_after=yesterday",
        "created_before=2026-11-22",
        "limit=1&limit=2",
    ];
    for query in queries {
        let answer = world.get(&format!("/users/u1/calls?{query}")).await;
        let message = answer.error(400, "invalid_field");
        let (name, _) = query.split_once('=').expect("a parameter");
        assert!(message.starts_with(name), "{query}: {message}");
        assert_eq!(answer.json()["field"], name, "{query}");
    }
    let page = world.get("/users/u1/calls?limit=500&offset=1000000&lmit=3").await;
    assert_eq!(
        page.json()["warnings"],
        json!(["lmit: no such parameter; it was ignored"]),
        "{page:?}"
    );
}
