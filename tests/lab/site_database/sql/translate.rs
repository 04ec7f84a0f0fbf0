//! From a T-SQL query to one that SQLite runs: names become flat, table functions become views, TOP becomes LIMIT.
//! Expressions are the matter of [`super::expression`].

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Ident, Join, JoinOperator, LimitClause, Offset, OffsetRows, Query, Select, SelectItem, SetExpr, TableAlias,
    TableAliasColumnDef, TableFactor, TopQuantity, VisitorMut,
};

use super::super::wire::value::Value;
use super::SqlError;
use super::catalog::{Catalog, Name, ObjectKind, flat};
use super::session::Session;

/// What a query can refer to besides its tables.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub catalog: &'a Catalog,
    pub session: &'a Session,
    pub variables: &'a HashMap<String, Value>,
    /// The error that the CATCH block around the query has caught.
    pub caught: Option<&'a SqlError>,
    /// Leave `@names` as they are: inside a function that is being created.
    pub keep_variables: bool,
}

/// What the translation found out about a query.
#[derive(Default)]
pub struct Found {
    /// The keys of the objects that the query names.
    pub objects: Vec<String>,
    /// The names under which tables are known in it.
    pub aliases: Vec<String>,
}

/// Translates in place.
pub fn query(query: &mut Query, scope: Scope<'_>) -> Result<Found, SqlError> {
    name_columns(query);
    node(query, scope)
}

/// Translates a part of the tree: a query, an expression, or the source of an INSERT.
pub fn node(node: &mut impl sqlparser::ast::VisitMut, scope: Scope<'_>) -> Result<Found, SqlError> {
    let mut translator = Translator { scope, with: HashSet::new(), found: Found::default() };
    match node.visit(&mut translator) {
        ControlFlow::Continue(()) => Ok(translator.found),
        ControlFlow::Break(error) => Err(error),
    }
}

/// The label that marks a column without a name.
pub const NO_NAME: &str = "no column name ";

/// Gives each column of the outermost query the name that SQL Server gives it, since SQLite's own differs.
fn name_columns(query: &mut Query) {
    let Some(select) = outermost(query) else { return };
    for (number, item) in select.projection.iter_mut().enumerate() {
        if let SelectItem::UnnamedExpr(expr) = item {
            let alias = match expr {
                Expr::Identifier(name) => name.value.clone(),
                Expr::CompoundIdentifier(names) => names.last().map(|n| n.value.clone()).unwrap_or_default(),
                _ => format!("{NO_NAME}{number}"),
            };
            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias: Ident::with_quote('"', alias) };
        }
    }
}

/// Lets the columns of a view that are expressions compare without case, where `is_text` says so of their number.
pub fn outputs_without_case(query: &mut Query, is_text: impl Fn(usize) -> bool) {
    let Some(select) = outermost(query) else { return };
    for (number, item) in select.projection.iter_mut().enumerate() {
        if let SelectItem::ExprWithAlias { expr, .. } = item
            && !matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
            && is_text(number)
        {
            *expr = super::expression::without_case(expr);
        }
    }
}

/// The first SELECT of a query, which names the columns of all.
fn outermost(query: &mut Query) -> Option<&mut Select> {
    let mut body = &mut *query.body;
    loop {
        match body {
            SetExpr::Select(select) => return Some(select),
            SetExpr::SetOperation { left, .. } => body = left,
            SetExpr::Query(query) => body = &mut query.body,
            _ => return None,
        }
    }
}

struct Translator<'a> {
    scope: Scope<'a>,
    /// Names of common table expressions, lower case.
    with: HashSet<String>,
    found: Found,
}

impl Translator<'_> {
    fn table(&mut self, factor: &mut TableFactor) -> Result<(), SqlError> {
        match factor {
            TableFactor::Table { name, alias, args, with_hints, .. } => {
                with_hints.clear();
                let written = Name::of(name)?;
                let label = alias.as_ref().map_or(written.object.clone(), |a| a.name.value.clone());
                self.found.aliases.push(label.clone());
                if written.schema.is_none() && self.with.contains(&written.object.to_lowercase()) {
                    return Ok(());
                }
                let object = self.scope.catalog.resolve(&written, &self.scope.session.database)?;
                match (&object.kind, args.take().map(|a| a.args.len())) {
                    (ObjectKind::TableFunction { .. }, None) => {
                        let text = format!("Parameters were not supplied for the function '{written}'.");
                        return Err(SqlError::new(216, 16, text));
                    }
                    (ObjectKind::TableFunction { parameters, .. }, Some(given)) if given != *parameters => {
                        return Err(wrong_arguments(given > *parameters, &written.to_string()));
                    }
                    (ObjectKind::TableFunction { .. }, Some(_)) => {}
                    (ObjectKind::ScalarFunction { .. }, _) | (_, Some(_)) => {
                        return Err(SqlError::invalid_object(&written.to_string()));
                    }
                    (_, None) => {}
                }
                self.found.objects.push(object.key());
                *name = flat(&object.key());
                if alias.is_none() {
                    *alias = Some(plain_alias(&label));
                }
                Ok(())
            }
            TableFactor::Derived { subquery, alias, .. } => {
                let Some(alias) = alias else { return Err(SqlError::syntax(")")) };
                self.found.aliases.push(alias.name.value.clone());
                name_derived_columns(subquery, &mut alias.columns);
                Ok(())
            }
            TableFactor::NestedJoin { .. } => Ok(()),
            other => Err(SqlError::not_in_lab(other)),
        }
    }

    fn select(select: &Select) -> Result<(), SqlError> {
        let joins = select.from.iter().flat_map(|t| &t.joins);
        for Join { join_operator, .. } in joins {
            if matches!(join_operator, JoinOperator::CrossApply | JoinOperator::OuterApply) {
                return Err(SqlError::not_in_lab("CROSS APPLY and OUTER APPLY"));
            }
        }
        if select.into.is_some() {
            return Err(SqlError::new(262, 14, "CREATE TABLE permission denied in database."));
        }
        Ok(())
    }

    /// TOP, or OFFSET with FETCH, as LIMIT.
    fn limit(query: &mut Query) -> Result<(), SqlError> {
        if query.for_clause.is_some() {
            return Err(SqlError::not_in_lab("FOR XML and FOR JSON"));
        }
        let fetch = query.fetch.take().and_then(|f| f.quantity);
        match &mut query.limit_clause {
            None => {}
            Some(LimitClause::LimitOffset { limit: limit @ None, offset: Some(offset), .. }) => {
                offset.rows = OffsetRows::None;
                *limit = Some(fetch.unwrap_or_else(|| number("-1")));
            }
            Some(_) => return Err(SqlError::syntax("LIMIT")),
        }
        if let SetExpr::Select(select) = &mut *query.body
            && let Some(top) = select.top.take()
        {
            if top.with_ties || top.percent {
                return Err(SqlError::not_in_lab("TOP WITH TIES and TOP PERCENT"));
            }
            let quantity = match top.quantity {
                Some(TopQuantity::Expr(expr)) => expr,
                Some(TopQuantity::Constant(n)) => number(&n.to_string()),
                None => return Err(SqlError::syntax("TOP")),
            };
            let offset: Option<Offset> = None;
            query.limit_clause = Some(LimitClause::LimitOffset { limit: Some(quantity), offset, limit_by: Vec::new() });
        }
        Ok(())
    }
}

impl VisitorMut for Translator<'_> {
    type Break = SqlError;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<SqlError> {
        let names = query.with.iter().flat_map(|w| &w.cte_tables).map(|t| t.alias.name.value.to_lowercase());
        self.with.extend(names);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<SqlError> {
        go(Self::limit(query))
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<SqlError> {
        go(Self::select(select))
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<SqlError> {
        go(self.table(factor))
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<SqlError> {
        go(super::expression::translate(expr, self.scope))
    }

    /// Quotes every name, so that no keyword of SQLite's gets in the way.
    fn pre_visit_ident(&mut self, ident: &mut Ident) -> ControlFlow<SqlError> {
        if !ident.value.starts_with('@') {
            ident.quote_style = Some('"');
        }
        ControlFlow::Continue(())
    }
}

fn go(result: Result<(), SqlError>) -> ControlFlow<SqlError> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

/// 8144 or 313.
pub fn wrong_arguments(too_many: bool, name: &str) -> SqlError {
    if too_many {
        SqlError::new(8144, 16, format!("Procedure or function {name} has too many arguments specified."))
    } else {
        let text = format!("An insufficient number of arguments were supplied for the procedure or function {name}.");
        SqlError::new(313, 16, text)
    }
}

/// A number literal.
pub fn number(text: &str) -> Expr {
    Expr::value(sqlparser::ast::Value::Number(text.to_owned(), false))
}

fn plain_alias(name: &str) -> TableAlias {
    TableAlias { explicit: true, name: Ident::with_quote('"', name), columns: Vec::new(), at: None }
}

/// SQLite knows no `AS t (a, b)`: the names go into the query instead.
fn name_derived_columns(subquery: &mut Query, columns: &mut Vec<TableAliasColumnDef>) {
    let names: Vec<Ident> = columns.drain(..).map(|c| c.name).collect();
    if names.is_empty() {
        return;
    }
    if let SetExpr::Select(select) = &mut *subquery.body {
        for (item, alias) in select.projection.iter_mut().zip(names) {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
            }
        }
        return;
    }
    // A list of VALUES: SQLite calls its columns column1, column2, ...
    let items = names.iter().enumerate().map(|(i, name)| format!("column{} AS [{}]", i + 1, name.value));
    let sql = format!("SELECT {} FROM (SELECT 1) AS v", items.collect::<Vec<_>>().join(", "));
    let parsed = sqlparser::parser::Parser::parse_sql(&sqlparser::dialect::MsSqlDialect {}, &sql);
    let Some(sqlparser::ast::Statement::Query(mut outer)) = parsed.ok().and_then(|mut s| s.pop()) else { return };
    if let SetExpr::Select(select) = &mut *outer.body
        && let Some(TableFactor::Derived { subquery: inner, .. }) = select.from.first_mut().map(|t| &mut t.relation)
    {
        **inner = subquery.clone();
    }
    *subquery = *outer;
}
