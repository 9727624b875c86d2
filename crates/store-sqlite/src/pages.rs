//! Lists of a user's calls, at the same cost whatever is stored: every query walks one index from
//! where the page begins, and `total` comes from counters where it must be exact.

use domain::{CallId, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};
use store::codec::{status_from_code, status_to_code};
use store::place::{SHELVES, is_alive, shelf};
use store::{COUNTED, ListQuery, ListRow, Page, Total};

use crate::calls::{phone, unreadable};
use crate::error::Fault;

/// A query put together: where its rows are, and the values of its conditions. Every index is
/// named, because SQLite guesses wrongly between two when it knows no numbers.
struct Search {
    /// One `FROM ... WHERE ...` for each stretch of an index; the answer is merged from all of them.
    stretches: Vec<String>,
    values: Vec<Value>,
}

impl Search {
    fn of(query: &ListQuery) -> Search {
        let mut search = Search {
            stretches: Vec::new(),
            values: vec![Value::from(query.user.as_str().to_owned())],
        };
        let by_shelf = |shelf: i64| {
            format!("FROM calls INDEXED BY calls_by_shelf WHERE user_id = ?1 AND shelf = {shelf}")
        };
        search.stretches = match (&query.to, query.status) {
            (Some(to), _) => {
                let place = search.value(to.reveal().to_owned());
                vec![format!(
                    "FROM calls INDEXED BY calls_by_number WHERE user_id = ?1 AND to_number = ?{place}"
                )]
            }
            (None, Some(status)) if is_alive(status) => {
                vec!["FROM calls INDEXED BY calls_alive WHERE user_id = ?1 AND alive = 1".to_owned()]
            }
            (None, Some(status)) => vec![by_shelf(shelf(status))],
            (None, None) => SHELVES.iter().map(|shelf| by_shelf(*shelf)).collect(),
        };
        if let Some(status) = query.status {
            search.all(&format!("status = {}", status_to_code(status)));
        }
        if let Some(after) = query.created_after {
            let place = search.value(after.millis());
            search.all(&format!("created_at >= ?{place}"));
        }
        if let Some(before) = query.created_before {
            let place = search.value(before.millis());
            search.all(&format!("created_at < ?{place}"));
        }
        search
    }

    /// A condition on every stretch.
    fn all(&mut self, condition: &str) {
        for stretch in &mut self.stretches {
            stretch.push_str(" AND ");
            stretch.push_str(condition);
        }
    }

    /// Takes a value and gives the number of its parameter.
    fn value(&mut self, value: impl Into<Value>) -> usize {
        self.values.push(value.into());
        self.values.len()
    }

    /// Each stretch selected, put one after the other.
    fn select(&self, columns: &str) -> String {
        let selects: Vec<_> = self
            .stretches
            .iter()
            .map(|stretch| format!("SELECT {columns} {stretch}"))
            .collect();
        selects.join(" UNION ALL ")
    }

    /// The rows of a page: the stretches merged in their common order.
    fn rows(query: &ListQuery) -> Search {
        let mut search = Search::of(query);
        if let Some(after) = query.after {
            let at = search.value(after.created_at.millis());
            let id = search.value(after.id.as_bytes().to_vec());
            search.all(&format!("(created_at, id) < (?{at}, ?{id})"));
        }
        search
    }

    fn rows_sql(&mut self, limit: usize, offset: usize) -> String {
        let columns = "id, to_number, status, attempt_count, should_retry, created_at";
        let (limit, offset) = (self.value(crate::rows(limit)), self.value(crate::rows(offset)));
        let select = self.select(columns);
        format!("{select} ORDER BY created_at DESC, id DESC LIMIT ?{limit} OFFSET ?{offset}")
    }
}

/// A page, newest first, with how many match in all.
pub(crate) fn page(conn: &Connection, query: &ListQuery) -> Result<Page, Fault> {
    let total = total(conn, query)?;
    let mut search = Search::rows(query);
    // One more than wanted says whether there is another page.
    let sql = search.rows_sql(query.limit.saturating_add(1), query.offset);
    let mut select = conn.prepare_cached(&sql)?;
    let mut rows = select.query(params_from_iter(&search.values))?;
    let mut calls = Vec::with_capacity(query.limit.min(64));
    while let Some(row) = rows.next()? {
        calls.push(list_row(row)?);
    }
    Ok(Page::cut(total, calls, query.limit))
}

fn list_row(row: &Row<'_>) -> Result<ListRow, Fault> {
    let id = CallId::from_bytes(row.get(0)?);
    Ok(ListRow {
        id,
        to: phone(row, 1).ok_or_else(|| unreadable(id))?,
        status: status_from_code(row.get(2)?).ok_or_else(|| unreadable(id))?,
        attempt_count: row.get(3)?,
        should_retry: row.get(4)?,
        created_at: Timestamp::from_millis(row.get(5)?),
    })
}

fn total(conn: &Connection, query: &ListQuery) -> Result<Total, Fault> {
    if !query.has_counter() {
        return count(conn, query);
    }
    let count: i64 = conn
        .prepare_cached(
            "SELECT ifnull(sum(n), 0) FROM totals WHERE user_id = ?1 AND (?2 IS NULL OR status = ?2)",
        )?
        .query_row((query.user.as_str(), query.status.map(status_to_code)), |row| {
            row.get(0)
        })?;
    Ok(Total::of(count, true))
}

fn count(conn: &Connection, query: &ListQuery) -> Result<Total, Fault> {
    let search = Search::of(query);
    let sql = format!(
        "SELECT count(*) FROM ({} LIMIT {})",
        search.select("1"),
        COUNTED + 1
    );
    let mut select = conn.prepare_cached(&sql)?;
    let found: i64 = select.query_row(params_from_iter(&search.values), |row| row.get(0))?;
    Ok(Total::of(found, false))
}

#[cfg(test)]
mod tests;
