//! Cursors: opaque, valid for the list and conditions that they belong to, and refused when altered.

use ess_e2e::unique;

use super::listed::{follow, ids, newest_first, run};
use crate::stored::{Partition, reader};

/// A run of events, and the URL of its second page.
async fn second_page(count: i64) -> (String, Vec<String>, String) {
    let app = reader().await;
    let test_id = unique("run");
    let events = run(&test_id, count);
    Partition::of(app).await.store(&events).await;
    let first = format!("/events?test_id={test_id}&user_id=u&limit=2");
    let first = app.get(&first).await.expect_status(200);
    (test_id, newest_first(&events), first.next_page().unwrap())
}

fn cursor(url: &str) -> &str {
    url.split_once("cursor=").unwrap().1
}

#[tokio::test]
async fn the_limit_may_change_between_pages() {
    let app = reader().await;
    let (_, ids_of_run, next) = second_page(9).await;
    assert!(next.contains("limit=2"), "{next}");
    let larger = next.replace("limit=2", "limit=4");
    let pages = follow(app, larger).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [4, 3]);
    assert_eq!(pages.concat(), ids_of_run[2..]);
}

#[tokio::test]
async fn a_cursor_is_refused_under_other_conditions() {
    let app = reader().await;
    let (test_id, _, next) = second_page(3).await;
    let cursor = cursor(&next);
    for other in [
        format!("cursor={cursor}"),
        format!("test_id={test_id}&cursor={cursor}"),
        format!("test_id={test_id}&user_id=v&cursor={cursor}"),
        format!("test_id={test_id}&user_id=u&type=Note&cursor={cursor}"),
        format!("test_id={test_id}&user_id=u&from=2026-01-01T00:00:00Z&cursor={cursor}"),
    ] {
        let problem = app
            .get(&format!("/events?{other}"))
            .await
            .expect_status(422)
            .json();
        let error = &problem["errors"][0];
        assert_eq!(error["pointer"], "?cursor", "{other}");
        assert!(
            error["detail"]
                .as_str()
                .unwrap()
                .contains("other conditions"),
            "{error}"
        );
        assert!(
            error["allowed"].as_str().unwrap().contains("Link header"),
            "{error}"
        );
    }
    // With an invalid condition, only the condition is reported, not the cursor.
    let mistaken = format!("/events?test_id={test_id}&user_id=&cursor={cursor}");
    let problem = app.get(&mistaken).await.expect_status(422).json();
    assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem}");
    assert_eq!(problem["errors"][0]["pointer"], "?user_id");
}

#[tokio::test]
async fn an_altered_cursor_is_refused() {
    let app = reader().await;
    let (_, ids_of_run, next) = second_page(3).await;
    let (page, cursor) = next.split_once("cursor=").unwrap();
    let get_page = async |cursor: &str| app.get(&format!("{page}cursor={cursor}")).await;
    let intact = get_page(cursor).await.expect_status(200).json();
    assert_eq!(ids(&intact), ids_of_run[2..]);
    let mut altered: Vec<String> = (0..cursor.len())
        .map(|at| {
            let mut text = cursor.to_owned();
            let other = if &text[at..=at] == "A" { "B" } else { "A" };
            text.replace_range(at..=at, other);
            text
        })
        .collect();
    altered.push(cursor[..cursor.len() - 4].to_owned());
    altered.push(format!("{cursor}AAAA"));
    altered.push(cursor.to_uppercase());
    for text in altered {
        let problem = get_page(&text).await.expect_status(422).json();
        assert_eq!(problem["errors"][0]["pointer"], "?cursor", "{problem}");
    }
}
