//! Compares the table `playbacks` with the aggregate states that its rows are computed from, column by column.

use ess_e2e::{TestApp, eventually};
use ess_schema::merged;

/// Waits until the rows include all stored events, and compares all of them with the states.
///
/// # Panics
/// When the rows do not catch up, or differ.
pub(crate) async fn assert_rows_are_the_states(app: &TestApp) {
    eventually("the rows include all stored events", async || {
        let behind = "SELECT count() AS partitions FROM (
            SELECT partition, max(next_offset) AS stored FROM projection_progress GROUP BY partition) AS events
            LEFT JOIN (SELECT partition, max(next_offset) AS rolled_up FROM playbacks_progress GROUP BY partition) AS rows
            USING partition WHERE rolled_up < stored";
        match &app.select(behind).await[0]["partitions"] {
            none if none == 0 => Ok(()),
            some => Err(format!("{some} partitions behind\n{}", app.projector.log_tail())),
        }
    })
    .await;
    let columns = merged::COLUMNS.join(", ");
    let (rows, states) = (
        format!("SELECT {columns} FROM playbacks FINAL"),
        format!("SELECT {columns} FROM ({})", merged::select_playbacks("1")),
    );
    for (these, those) in [(&rows, &states), (&states, &rows)] {
        let differing = app.select(&format!("{these} EXCEPT {those}")).await;
        assert!(
            differing.is_empty(),
            "{} playbacks differ, the first is {}",
            differing.len(),
            differing[0]
        );
    }
    let duplicates =
        "SELECT playback_id FROM playbacks FINAL GROUP BY playback_id HAVING count() > 1";
    assert_eq!(
        app.select(duplicates).await.len(),
        0,
        "rows on more than one day"
    );
}
