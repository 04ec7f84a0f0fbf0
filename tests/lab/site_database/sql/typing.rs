//! The type of an expression, where SQLite has none: it knows declared types of columns only.

use sqlparser::ast::{Expr, Function, Query, SelectItem, SetExpr, Value as Literal};

use super::super::wire::value::{SqlType, Value};
use super::catalog::{Catalog, Name, ObjectKind, key};
use super::expression::arguments;

/// Where the expression stands.
pub struct Surroundings<'a> {
    pub catalog: &'a Catalog,
    /// Keys of the objects that the query names.
    pub objects: &'a [String],
}

/// The expressions of the outermost select list; `None` if it has a `*`.
pub fn projection(query: &Query) -> Option<Vec<&Expr>> {
    let mut body = &*query.body;
    let select = loop {
        match body {
            SetExpr::Select(select) => break select,
            SetExpr::SetOperation { left, .. } => body = left,
            SetExpr::Query(query) => body = &query.body,
            _ => return None,
        }
    };
    let items = select.projection.iter().map(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    });
    items.collect()
}

impl Surroundings<'_> {
    /// The type of `expr`, as far as it can be told without looking at values.
    pub fn infer(&self, expr: &Expr) -> Option<SqlType> {
        match expr {
            Expr::Identifier(name) => self.column(&name.value),
            Expr::CompoundIdentifier(parts) => self.column(&parts.last()?.value),
            Expr::Value(value) => match &value.value {
                Literal::Number(digits, _) => Some(match digits.parse::<i64>() {
                    Ok(n) if i32::try_from(n).is_ok() => SqlType::Int,
                    Ok(_) => SqlType::BigInt,
                    Err(_) => SqlType::Float,
                }),
                Literal::NationalStringLiteral(text) => Some(SqlType::NVarChar(length(text))),
                Literal::SingleQuotedString(text) => Some(SqlType::VarChar(length(text))),
                _ => None,
            },
            Expr::Cast { data_type, .. } | Expr::Convert { data_type: Some(data_type), .. } => {
                SqlType::parse(&data_type.to_string())
            }
            Expr::Case { conditions, else_result, .. } => {
                let results = conditions.iter().map(|c| &c.result).chain(else_result.as_deref());
                self.common(results)
            }
            Expr::Nested(inner)
            | Expr::UnaryOp { expr: inner, .. }
            | Expr::Collate { expr: inner, .. }
            | Expr::Substring { expr: inner, .. }
            | Expr::Trim { expr: inner, .. } => self.infer(inner),
            Expr::BinaryOp { left, right, .. } => self.common([left.as_ref(), right.as_ref()].into_iter()),
            Expr::Subquery(query) => self.infer(projection(query)?.first()?),
            Expr::Function(function) => self.call(function),
            _ => None,
        }
    }

    fn call(&self, function: &Function) -> Option<SqlType> {
        let name = Name::of(&function.name).ok()?;
        if let Some(schema) = &name.schema {
            return match self.catalog.get(&key(schema, &name.object))?.kind {
                ObjectKind::ScalarFunction { returns, .. } => Some(returns),
                _ => None,
            };
        }
        let arguments = arguments(function);
        match name.object.to_ascii_uppercase().as_str() {
            "COUNT" | "LEN" | "DATALENGTH" | "CHARINDEX" | "HAS_PERMS_BY_NAME" | "HAS_DBACCESS" | "SCHEMA_ID"
            | "OBJECT_ID" | "DB_ID" | "ERROR_NUMBER" | "ERROR_LINE" | "ERROR_STATE" | "ERROR_SEVERITY" => {
                Some(SqlType::Int)
            }
            "COUNT_BIG" | "ROW_NUMBER" | "RANK" | "DENSE_RANK" => Some(SqlType::BigInt),
            "ERROR_MESSAGE" | "CONCAT" | "CONCAT_WS" | "STRING_AGG" | "REPLACE" => Some(SqlType::NVarChar(Some(4000))),
            "QUOTENAME" => Some(SqlType::NVarChar(Some(258))),
            "DB_NAME" | "SUSER_SNAME" | "APP_NAME" | "HOST_NAME" | "OBJECT_NAME" | "SCHEMA_NAME" => {
                Some(SqlType::NVarChar(Some(128)))
            }
            "GETDATE" | "GETUTCDATE" | "SYSDATETIME" | "SYSUTCDATETIME" => Some(SqlType::DateTime),
            "IIF" => self.common(arguments.iter().skip(1)),
            "COALESCE" => self.common(arguments.iter()),
            "SUM" => self.infer(arguments.first()?).map(|t| if t == SqlType::BigInt { t } else { SqlType::Int }),
            "MAX" | "MIN" | "AVG" | "ISNULL" | "NULLIF" | "UPPER" | "LOWER" | "LTRIM" | "RTRIM" | "LEFT" | "RIGHT"
            | "REVERSE" | "ABS" => self.infer(arguments.first()?),
            _ => None,
        }
    }

    /// The type that all of these get: the widest.
    fn common<'e>(&self, expressions: impl Iterator<Item = &'e Expr>) -> Option<SqlType> {
        expressions.filter_map(|e| self.infer(e)).reduce(wider)
    }

    /// The type of a column of that name in the objects of the query.
    pub fn column(&self, name: &str) -> Option<SqlType> {
        let columns = self.objects.iter().filter_map(|o| self.catalog.get(o)).flat_map(|o| &o.columns);
        columns.into_iter().find(|c| c.name.eq_ignore_ascii_case(name)).map(|c| c.sql_type)
    }
}

/// The type for values of which nothing else is known.
pub fn of_values<'v>(values: impl Iterator<Item = &'v Value>) -> SqlType {
    let types = values.filter_map(|value| match value {
        Value::Null => None,
        Value::Integer(n) => Some(if i32::try_from(*n).is_ok() { SqlType::Int } else { SqlType::BigInt }),
        Value::Real(_) => Some(SqlType::Float),
        Value::Text(text) => Some(SqlType::NVarChar(length(text))),
        Value::Blob(_) => Some(SqlType::VarBinary),
    });
    match types.reduce(wider) {
        Some(SqlType::NVarChar(Some(_))) | None => SqlType::NVarChar(Some(4000)),
        Some(other) => other,
    }
}

fn length(text: &str) -> Option<u16> {
    u16::try_from(text.encode_utf16().count().max(1)).ok().filter(|n| *n <= 4000)
}

fn wider(a: SqlType, b: SqlType) -> SqlType {
    use SqlType::{NVarChar, VarChar};
    let rank = |t: SqlType| match t {
        SqlType::Bit => 1,
        SqlType::TinyInt => 2,
        SqlType::SmallInt => 3,
        SqlType::Int => 4,
        SqlType::BigInt => 5,
        SqlType::Float => 6,
        SqlType::DateTime => 7,
        _ => 0,
    };
    match (a, b) {
        (NVarChar(x) | VarChar(x), NVarChar(y)) | (NVarChar(x), VarChar(y)) => {
            NVarChar(x.zip(y).map(|(x, y)| x.max(y)))
        }
        (VarChar(x), VarChar(y)) => VarChar(x.zip(y).map(|(x, y)| x.max(y))),
        _ if rank(b) > rank(a) => b,
        _ => a,
    }
}
