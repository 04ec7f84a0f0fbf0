//! What SQL Server refuses and SQLite lets pass, so that a query which works in the lab is not refused at a customer's.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, GroupByExpr, Ident, OrderByKind, Query, Select, SelectItem, SetExpr, Visit as _, Visitor,
};

use super::SqlError;

/// Checks a query before it is translated.
pub fn check(query: &Query) -> Result<(), SqlError> {
    let mut checker = Checker { depth: 0 };
    match query.visit(&mut checker) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Checker {
    depth: usize,
}

impl Visitor for Checker {
    type Break = SqlError;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<SqlError> {
        self.depth += 1;
        let top = matches!(&*query.body, SetExpr::Select(s) if s.top.is_some());
        let limited = top || query.limit_clause.is_some() || query.fetch.is_some() || query.for_clause.is_some();
        if self.depth > 1 && query.order_by.is_some() && !limited {
            let why = "The ORDER BY clause is invalid in views, inline functions, derived tables, subqueries, and common \
                       table expressions, unless TOP, OFFSET or FOR XML is also specified.";
            return ControlFlow::Break(SqlError::new(1033, 15, why));
        }
        if let SetExpr::Select(select) = &*query.body {
            grouping(select, query)?;
        }
        ControlFlow::Continue(())
    }

    /// The parser takes many a keyword for a name; SQL Server does so only in brackets or quotes.
    fn pre_visit_ident(&mut self, ident: &Ident) -> ControlFlow<SqlError> {
        let word = ident.value.to_ascii_uppercase();
        if ident.quote_style.is_none() && RESERVED.split_whitespace().any(|reserved| reserved == word) {
            let text = format!("Incorrect syntax near the keyword '{}'.", ident.value);
            return ControlFlow::Break(SqlError::new(156, 15, text));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<SqlError> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

/// 8120, 8127: with groups, each column is grouped or inside an aggregate. 207: a name of the select list is no column.
fn grouping(select: &Select, query: &Query) -> ControlFlow<SqlError> {
    let GroupByExpr::Expressions(groups, _) = &select.group_by else { return ControlFlow::Continue(()) };
    let outputs: Vec<&Expr> = select
        .projection
        .iter()
        .filter_map(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
            _ => None,
        })
        .collect();
    let aggregates = outputs.iter().any(|e| has_aggregate(e)) || select.having.is_some();
    if groups.is_empty() && !aggregates {
        return ControlFlow::Continue(());
    }
    let mut grouped: HashSet<String> = groups.iter().map(normal).collect();
    grouped.extend(groups.iter().filter_map(last_name));
    let mut checker = Ungrouped { grouped, inside: 0 };
    for expr in &outputs {
        if let ControlFlow::Break(column) = expr.visit(&mut checker) {
            let text = format!(
                "Column '{column}' is invalid in the select list because it is not contained in either an aggregate \
                 function or the GROUP BY clause."
            );
            return ControlFlow::Break(SqlError::new(8120, 16, text));
        }
    }
    let aliases = select.projection.iter().filter_map(|item| match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.to_lowercase()),
        _ => None,
    });
    checker.grouped.extend(aliases);
    if let Some(OrderByKind::Expressions(orders)) = query.order_by.as_ref().map(|o| &o.kind) {
        for order in orders {
            if let ControlFlow::Break(column) = order.expr.visit(&mut checker) {
                let text = format!(
                    "Column \"{column}\" is invalid in the ORDER BY clause because it is not contained in either an \
                     aggregate function or the GROUP BY clause."
                );
                return ControlFlow::Break(SqlError::new(8127, 16, text));
            }
        }
    }
    ControlFlow::Continue(())
}

/// Finds a column that is neither grouped nor inside an aggregate.
struct Ungrouped {
    grouped: HashSet<String>,
    inside: usize,
}

impl Ungrouped {
    fn opens(&self, expr: &Expr) -> bool {
        self.grouped.contains(&normal(expr))
            || is_aggregate(expr)
            || matches!(expr, Expr::Subquery(_) | Expr::Exists { .. })
    }
}

impl Visitor for Ungrouped {
    type Break = String;

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<String> {
        if self.opens(expr) || last_name(expr).is_some_and(|n| self.grouped.contains(&n)) {
            self.inside += 1;
        } else if self.inside == 0
            && let Expr::Identifier(_) | Expr::CompoundIdentifier(_) = expr
            && !expr.to_string().starts_with('@')
        {
            return ControlFlow::Break(expr.to_string());
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<String> {
        if self.opens(expr) || last_name(expr).is_some_and(|n| self.grouped.contains(&n)) {
            self.inside -= 1;
        }
        ControlFlow::Continue(())
    }
}

fn normal(expr: &Expr) -> String {
    expr.to_string().to_lowercase()
}

fn last_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(name) => Some(name.value.to_lowercase()),
        Expr::CompoundIdentifier(names) => names.last().map(|n| n.value.to_lowercase()),
        _ => None,
    }
}

fn is_aggregate(expr: &Expr) -> bool {
    let Expr::Function(Function { name, over: None, .. }) = expr else { return false };
    let name = name.to_string().to_ascii_uppercase();
    matches!(name.as_str(), "COUNT" | "COUNT_BIG" | "MAX" | "MIN" | "SUM" | "AVG" | "STRING_AGG")
}

/// Whether an aggregate of this query, not of a query inside it, is in the expression.
fn has_aggregate(expr: &Expr) -> bool {
    expr.visit(&mut Aggregates { depth: 0 }).is_break()
}

struct Aggregates {
    depth: usize,
}

impl Visitor for Aggregates {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if self.depth == 0 && is_aggregate(expr) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// The reserved keywords of T-SQL, but for those that are called like functions.
const RESERVED: &str = "ADD ALL ALTER AND ANY AS ASC AUTHORIZATION BACKUP BEGIN BETWEEN BREAK BROWSE BULK BY CASCADE CASE \
    CHECK CHECKPOINT CLOSE CLUSTERED COLLATE COLUMN COMMIT COMPUTE CONSTRAINT CONTAINS CONTAINSTABLE CONTINUE CREATE CROSS \
    CURRENT CURRENT_DATE CURRENT_TIME CURSOR DATABASE DBCC DEALLOCATE DECLARE DEFAULT DELETE DENY DESC DISK DISTINCT \
    DISTRIBUTED DOUBLE DROP DUMP ELSE END ERRLVL ESCAPE EXCEPT EXEC EXECUTE EXISTS EXIT EXTERNAL FETCH FILE FILLFACTOR FOR \
    FOREIGN FREETEXT FREETEXTTABLE FROM FULL FUNCTION GOTO GRANT GROUP HAVING HOLDLOCK IDENTITY IDENTITY_INSERT IDENTITYCOL \
    IF IN INDEX INNER INSERT INTERSECT INTO IS JOIN KEY KILL LIKE LINENO LOAD MERGE NATIONAL NOCHECK NONCLUSTERED NOT NULL \
    OF OFF OFFSETS ON OPEN OPENDATASOURCE OPENQUERY OPENROWSET OPENXML OPTION OR ORDER OUTER OVER PERCENT PIVOT PLAN \
    PRECISION PRIMARY PRINT PROC PROCEDURE PUBLIC RAISERROR READ READTEXT RECONFIGURE REFERENCES REPLICATION RESTORE \
    RESTRICT RETURN REVERT REVOKE ROLLBACK ROWCOUNT ROWGUIDCOL RULE SAVE SCHEMA SECURITYAUDIT SELECT SET SETUSER SHUTDOWN \
    SOME STATISTICS TABLE TABLESAMPLE TEXTSIZE THEN TO TOP TRAN TRANSACTION TRIGGER TRUNCATE TSEQUAL UNION UNIQUE UNPIVOT \
    UPDATE UPDATETEXT USE VALUES VARYING VIEW WAITFOR WHEN WHERE WHILE WITH WRITETEXT";
