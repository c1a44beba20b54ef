//! The rows of playbacks against the states that they are made of, column by column, in the read model itself.

use ess_e2e::{TestApp, eventually};
use ess_schema::merged;

/// Waits until the rows hold everything that is stored, and compares all of them with the states.
///
/// # Panics
/// When they do not come to hold it, or differ.
pub(crate) async fn assert_rows_are_the_states(app: &TestApp) {
    eventually("the rows of playbacks hold what is stored", async || {
        let behind = "SELECT count() AS partitions FROM (
            SELECT partition, max(next_offset) AS stored FROM projection_progress GROUP BY partition) AS events
            LEFT JOIN (SELECT partition, max(next_offset) AS made FROM playbacks_progress GROUP BY partition) AS rows
            USING partition WHERE made < stored";
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
    let doubly = "SELECT playback_id FROM playbacks FINAL GROUP BY playback_id HAVING count() > 1";
    assert_eq!(app.select(doubly).await.len(), 0, "in more than one day");
}
