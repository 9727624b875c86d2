//! Lists of a user's calls, at the same cost whatever is stored: every query walks one index from
//! where the page begins, and `total` comes from counters where it must be exact.

use domain::Timestamp;
use store::codec::{status_from_code, status_to_code};
use store::place::{SHELVES, is_alive, shelf};
use store::{COUNTED, ListQuery, ListRow, Page, Total};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::calls::{id, phone, unreadable, uuid};
use crate::connect::{Pool, Query, values};
use crate::error::Fault;

/// The stretches of a list are merged in their order, however few rows the server expects: sorted, a
/// list would cost more with every call stored.
const MERGED: &str = "SET LOCAL enable_sort = off";

/// Newest first.
const ORDER: &str = "ORDER BY created_at DESC, id DESC";

/// A query put together: where its rows are, and the values of its conditions.
struct Search {
    /// One `FROM ... WHERE ...` for each stretch of an index; the answer is merged from all of them.
    stretches: Vec<String>,
    values: Vec<Box<dyn ToSql + Sync + Send>>,
}

impl Search {
    fn of(query: &ListQuery) -> Search {
        let mut search = Search {
            stretches: Vec::new(),
            values: vec![Box::new(query.user.as_str().to_owned())],
        };
        let by_shelf = |shelf: i64| format!("FROM calls WHERE user_id = $1 AND shelf = {shelf}");
        search.stretches = match (&query.to, query.status) {
            (Some(to), _) => {
                let place = search.value(to.reveal().to_owned());
                vec![format!("FROM calls WHERE user_id = $1 AND to_number = ${place}")]
            }
            (None, Some(status)) if is_alive(status) => {
                vec!["FROM calls WHERE user_id = $1 AND alive".to_owned()]
            }
            (None, Some(status)) => vec![by_shelf(shelf(status))],
            (None, None) => SHELVES.iter().map(|shelf| by_shelf(*shelf)).collect(),
        };
        if let Some(status) = query.status {
            search.all(&format!("status = {}", status_to_code(status)));
        }
        if let Some(after) = query.created_after {
            let place = search.value(after.millis());
            search.all(&format!("created_at >= ${place}"));
        }
        if let Some(before) = query.created_before {
            let place = search.value(before.millis());
            search.all(&format!("created_at < ${place}"));
        }
        search
    }

    /// A condition on every stretch.
    fn all(&mut self, condition: &str) {
        self.all_end(&format!("AND {condition}"));
    }

    fn all_end(&mut self, end: &str) {
        for stretch in &mut self.stretches {
            stretch.push(' ');
            stretch.push_str(end);
        }
    }

    /// Takes a value and gives the number of its parameter.
    fn value(&mut self, value: impl ToSql + Sync + Send + 'static) -> usize {
        self.values.push(Box::new(value));
        self.values.len()
    }

    /// Each stretch selected, put one after the other.
    fn select(&self, columns: &str) -> String {
        let selects: Vec<_> = self
            .stretches
            .iter()
            .map(|stretch| format!("(SELECT {columns} {stretch})"))
            .collect();
        selects.join(" UNION ALL ")
    }

    /// The rows of a page: the stretches merged in their common order. One more than wanted says
    /// whether there is another page.
    fn rows(query: &ListQuery) -> Query {
        let mut search = Search::of(query);
        if let Some(after) = query.after {
            let at = search.value(after.created_at.millis());
            let id = search.value(uuid(after.id));
            search.all(&format!("(created_at, id) < (${at}, ${id})"));
        }
        let limit = search.value(crate::rows(query.limit.saturating_add(1)));
        let offset = search.value(crate::rows(query.offset));
        // Each stretch in order by itself, and all of them within FROM: otherwise the server merges none.
        search.all_end(ORDER);
        let select = search.select("id, to_number, status, attempt_count, should_retry, created_at");
        let sql = format!("SELECT * FROM ({select}) AS found {ORDER} LIMIT ${limit} OFFSET ${offset}");
        Query::new(sql, search.values)
    }

    /// How many rows match, up to a bound.
    fn count(query: &ListQuery) -> Query {
        let search = Search::of(query);
        let sql = format!(
            "SELECT count(*) FROM ({} LIMIT {}) AS counted",
            search.select("1"),
            COUNTED + 1
        );
        Query::new(sql, search.values)
    }
}

/// A page, newest first, with how many match in all, as of one moment.
pub(crate) async fn page(pool: &Pool, query: &ListQuery) -> Result<Page, Fault> {
    let counted = query.has_counter();
    let total = if counted {
        totals(query)
    } else {
        Search::count(query)
    };
    let queries = vec![total, Query::new(MERGED, []), Search::rows(query)];
    let mut answers = pool.snapshot(queries).await?;
    let (rows, total) = (answers.pop().unwrap_or_default(), answers.swap_remove(0));
    let calls = rows.iter().map(list_row).collect::<Result<Vec<_>, _>>()?;
    let found = total.first().map_or(Ok(0), |row| row.try_get(0))?;
    Ok(Page::cut(Total::of(found, counted), calls, query.limit))
}

fn list_row(row: &Row) -> Result<ListRow, Fault> {
    let id = id(row, 0)?;
    let attempts: i64 = row.try_get(3)?;
    Ok(ListRow {
        id,
        to: phone(row, 1).ok_or_else(|| unreadable(id))?,
        status: status_from_code(row.try_get(2)?).ok_or_else(|| unreadable(id))?,
        attempt_count: u32::try_from(attempts).map_err(|_| unreadable(id))?,
        should_retry: row.try_get(4)?,
        created_at: Timestamp::from_millis(row.try_get(5)?),
    })
}

/// How many calls of a user there are, from the counters.
fn totals(query: &ListQuery) -> Query {
    Query::new(
        "SELECT coalesce(sum(n), 0)::bigint FROM totals WHERE user_id = $1 AND ($2::bigint IS NULL OR status = $2)",
        values![query.user.as_str().to_owned(), query.status.map(status_to_code)],
    )
}

#[cfg(test)]
mod tests;
