//! Scripts that the owner of the database runs: the replica, and the variants of a test.

use std::collections::HashMap;
use std::fmt::Write as _;

use sqlparser::ast::{
    ColumnOption, CreateFunction, CreateFunctionBody, CreateTable, CreateView, DeclareAssignment, Expr, FromTable,
    ObjectType, Query, Statement, TableConstraint, TableObject,
};

use super::super::wire::token::Column;
use super::super::wire::value::{SqlType, Value};
use super::SqlError;
use super::batch::{self, Step};
use super::catalog::{Name, ObjectKind, flat, key};
use super::engine::{Engine, owner_scope};
use super::expression::substitute;
use super::session::{Access, Session};
use super::typing::{self, Surroundings};
use super::{system, translate};

/// Runs a script of batches that stand between lines of `GO`.
pub fn run(engine: &mut Engine, script: &str, database: &str) -> Result<(), SqlError> {
    let owner = Session {
        user: "dbo".into(),
        application: String::new(),
        host: String::new(),
        database: database.into(),
        access: Access::All,
        databases: Vec::new(),
    };
    for batch in batches(script) {
        steps(engine, batch::parse(&batch)?, &owner)?;
    }
    system::fill(&engine.db, &engine.catalog).map_err(|e| SqlError::from_sqlite(&e, &[]))
}

fn steps(engine: &mut Engine, steps: Vec<Step>, owner: &Session) -> Result<(), SqlError> {
    for step in steps {
        let described = format!("{step:.200?}");
        let done = match step {
            Step::Statement(statement) => apply(engine, *statement, owner),
            Step::Grant(grants) => {
                engine.catalog.grants.extend(grants);
                Ok(())
            }
            Step::If { condition, then, otherwise } => {
                let variables = HashMap::new();
                let holds = engine.scalar(&condition, owner_scope(&engine.catalog, owner, &variables))?;
                self::steps(engine, if holds == Value::Integer(1) { then } else { otherwise }, owner)
            }
            Step::CreateUser => Ok(()),
            Step::Try { .. } => Err(SqlError::not_in_lab("TRY in a script")),
        };
        done.map_err(|e| SqlError { message: format!("{} (in {described})", e.message), ..e })?;
    }
    Ok(())
}

fn batches(script: &str) -> Vec<String> {
    let mut batches = vec![String::new()];
    for line in script.lines() {
        if line.trim().eq_ignore_ascii_case("GO") {
            batches.push(String::new());
        } else if let Some(batch) = batches.last_mut() {
            batch.push_str(line);
            batch.push('\n');
        }
    }
    batches
}

fn apply(engine: &mut Engine, statement: Statement, owner: &Session) -> Result<(), SqlError> {
    let variables = HashMap::new();
    match statement {
        Statement::CreateTable(table) => create_table(engine, &table),
        Statement::CreateView(view) => create_view(engine, &view, owner),
        Statement::CreateFunction(function) => create_function(engine, &function, owner),
        Statement::Drop { names, object_type: ObjectType::View | ObjectType::Table, if_exists, .. } => {
            names.iter().try_for_each(|name| drop_object(engine, &Name::of(name)?, if_exists))
        }
        Statement::DropFunction(drop) => {
            drop.func_desc.iter().try_for_each(|f| drop_object(engine, &Name::of(&f.name)?, drop.if_exists))
        }
        Statement::Execute { name: Some(name), parameters, .. } => {
            let scope = owner_scope(&engine.catalog, owner, &variables);
            let values = parameters.iter().map(|p| engine.scalar(p, scope)).collect::<Result<Vec<_>, _>>()?;
            match (Name::of(&name)?.object.to_lowercase().as_str(), &values[..]) {
                ("sp_rename", [Value::Text(old), Value::Text(new)]) => rename(engine, &Name::parse(old), new),
                (other, _) => Err(SqlError::new(2812, 16, format!("Could not find stored procedure '{other}'."))),
            }
        }
        Statement::Insert(mut insert) => {
            let TableObject::TableName(name) = &insert.table else { return Err(SqlError::not_in_lab(insert)) };
            let scope = owner_scope(&engine.catalog, owner, &variables);
            let target = flat(&scope.catalog.resolve(&Name::of(name)?, &owner.database)?.key());
            if let Some(source) = &mut insert.source {
                translate::node(source.as_mut(), scope)?;
            }
            insert.table = TableObject::TableName(target);
            insert.into = true;
            execute(engine, &insert.to_string())
        }
        Statement::Update(mut update) => {
            translate::node(&mut update, owner_scope(&engine.catalog, owner, &variables))?;
            execute(engine, &update.to_string())
        }
        Statement::Delete(mut delete) => {
            if let FromTable::WithoutKeyword(tables) = delete.from {
                delete.from = FromTable::WithFromKeyword(tables);
            }
            translate::node(&mut delete, owner_scope(&engine.catalog, owner, &variables))?;
            execute(engine, &delete.to_string())
        }
        // Roles are known by their grants; schemas are part of the names.
        Statement::CreateSchema { .. } | Statement::CreateRole(_) | Statement::AlterRole { .. } | Statement::Set(_) => {
            Ok(())
        }
        other => Err(SqlError::not_in_lab(other)),
    }
}

fn create_table(engine: &mut Engine, table: &CreateTable) -> Result<(), SqlError> {
    let name = Name::of(&table.name)?;
    let schema = name.schema.clone().unwrap_or_else(|| "dbo".into());
    let (mut definitions, mut columns) = (Vec::new(), Vec::new());
    for column in &table.columns {
        let declared = column.data_type.to_string();
        let sql_type = SqlType::parse(&declared).ok_or_else(|| SqlError::not_in_lab(format!("type {declared}")))?;
        let column_name = &column.name.value;
        let mut sql = format!("\"{column_name}\" {}", sql_type.declaration());
        if sql_type.is_text() {
            sql.push_str(" COLLATE NOCASE");
        }
        for option in &column.options {
            match &option.option {
                ColumnOption::NotNull => sql.push_str(" NOT NULL"),
                ColumnOption::PrimaryKey(_) => sql.push_str(" PRIMARY KEY"),
                ColumnOption::Null => {}
                other => return Err(SqlError::not_in_lab(format!("column option {other}"))),
            }
        }
        // SQLite keeps any value anywhere; SQL Server does not.
        let _ = match sql_type.limit() {
            Some(n) => write!(sql, " CHECK (length(\"{column_name}\") <= {n})"),
            None if sql_type.is_text() || sql_type == SqlType::DateTime => Ok(()),
            None => write!(sql, " CHECK (typeof(\"{column_name}\") <> 'text')"),
        };
        definitions.push(sql);
        columns.push(Column { name: column_name.clone(), sql_type });
    }
    if let Some(TableConstraint::PrimaryKey(primary)) = table.constraints.first() {
        let names: Vec<String> = primary.columns.iter().map(ToString::to_string).collect();
        definitions.push(format!("PRIMARY KEY ({})", names.join(", ")));
    }
    execute(engine, &format!("CREATE TABLE \"{}\" ({})", key(&schema, &name.object), definitions.join(", ")))?;
    engine.catalog.add(&schema, &name.object, ObjectKind::Table, columns);
    Ok(())
}

fn create_view(engine: &mut Engine, view: &CreateView, owner: &Session) -> Result<(), SqlError> {
    let name = Name::of(&view.name)?;
    if view.or_alter {
        drop_object(engine, &name, true)?;
    }
    add_view(engine, &name, &view.query, owner, |sql| ObjectKind::View { sql })
}

fn create_function(engine: &mut Engine, function: &CreateFunction, owner: &Session) -> Result<(), SqlError> {
    let name = Name::of(&function.name)?;
    let parameters: Vec<String> =
        function.args.iter().flatten().filter_map(|a| a.name.as_ref()).map(|n| n.value.to_lowercase()).collect();
    match &function.function_body {
        Some(CreateFunctionBody::AsReturnExpr(Expr::Subquery(query))) => {
            let parameters = parameters.len();
            add_view(engine, &name, query, owner, |sql| ObjectKind::TableFunction { sql, parameters })
        }
        Some(CreateFunctionBody::AsBeginEnd(block)) => {
            let mut body = scalar_body(&block.statements).ok_or_else(|| SqlError::not_in_lab(&function.name))?;
            let variables = HashMap::new();
            let scope = translate::Scope { keep_variables: true, ..owner_scope(&engine.catalog, owner, &variables) };
            translate::node(&mut body, scope)?;
            let returns = function.return_type.as_ref().map(ToString::to_string).unwrap_or_default();
            let returns = SqlType::parse(&returns).ok_or_else(|| SqlError::not_in_lab(format!("type {returns}")))?;
            let kind = ObjectKind::ScalarFunction { parameters, returns, body: Box::new(body) };
            engine.catalog.add(name.schema.as_deref().unwrap_or("dbo"), &name.object, kind, Vec::new());
            Ok(())
        }
        _ => Err(SqlError::not_in_lab(format!("the body of function {name}"))),
    }
}

/// `DECLARE @a type = x; RETURN y` as one expression.
fn scalar_body(statements: &[Statement]) -> Option<Expr> {
    let (Statement::Return(last), declarations) = statements.split_last()? else { return None };
    let Some(sqlparser::ast::ReturnStatementValue::Expr(mut body)) = last.value.clone() else { return None };
    for declaration in declarations.iter().rev() {
        let Statement::Declare { stmts } = declaration else { return None };
        for declare in stmts.iter().rev() {
            let name = declare.names.first()?.value.to_lowercase();
            let Some(DeclareAssignment::MsSqlAssignment(value)) = &declare.assignment else { return None };
            substitute(&mut body, &|n| (n == name).then(|| *value.clone()));
        }
    }
    Some(body)
}

fn add_view(
    engine: &mut Engine,
    name: &Name,
    query: &Query,
    owner: &Session,
    kind: impl Fn(String) -> ObjectKind,
) -> Result<(), SqlError> {
    let variables = HashMap::new();
    let scope = translate::Scope { keep_variables: true, ..owner_scope(&engine.catalog, owner, &variables) };
    let mut translated = query.clone();
    let found = translate::query(&mut translated, scope)?;
    translate::outputs_without_case(&mut translated, |i| {
        let surroundings = Surroundings { catalog: &engine.catalog, objects: &found.objects };
        let expression = typing::projection(query).and_then(|p| p.get(i).copied());
        expression.and_then(|e| surroundings.infer(e)).is_some_and(SqlType::is_text)
    });
    let schema = name.schema.as_deref().unwrap_or("dbo");
    let (key, sql) = (key(schema, &name.object), translated.to_string());
    execute(engine, &format!("CREATE VIEW \"{key}\" AS {sql}"))?;
    let columns = engine.columns_of(&key, Some((query, &found.objects)));
    let columns = columns.map_err(|e| SqlError::from_sqlite(&e, &found.aliases))?;
    engine.catalog.add(schema, &name.object, kind(sql), columns);
    Ok(())
}

fn drop_object(engine: &mut Engine, name: &Name, if_exists: bool) -> Result<(), SqlError> {
    let key = key(name.schema.as_deref().unwrap_or("dbo"), &name.object);
    match engine.catalog.remove(&key).map(|o| o.kind) {
        Some(ObjectKind::Table) => execute(engine, &format!("DROP TABLE \"{key}\"")),
        Some(ObjectKind::View { .. } | ObjectKind::TableFunction { .. }) => {
            execute(engine, &format!("DROP VIEW \"{key}\""))
        }
        Some(_) => Ok(()),
        None if if_exists => Ok(()),
        None => Err(SqlError::new(
            3701,
            11,
            format!("Cannot drop '{name}', because it does not exist or you do not have permission."),
        )),
    }
}

fn rename(engine: &mut Engine, old: &Name, new: &str) -> Result<(), SqlError> {
    let schema = old.schema.as_deref().unwrap_or("dbo");
    let (old_key, new_key) = (key(schema, &old.object), key(schema, new));
    let Some(object) = engine.catalog.remove(&old_key) else {
        return Err(SqlError::new(15_225, 11, format!("No item by the name of '{old}' could be found.")));
    };
    match &object.kind {
        ObjectKind::Table => execute(engine, &format!("ALTER TABLE \"{old_key}\" RENAME TO \"{new_key}\""))?,
        ObjectKind::View { sql } | ObjectKind::TableFunction { sql, .. } => {
            execute(engine, &format!("DROP VIEW \"{old_key}\""))?;
            execute(engine, &format!("CREATE VIEW \"{new_key}\" AS {sql}"))?;
        }
        ObjectKind::ScalarFunction { .. } | ObjectKind::System => {}
    }
    engine.catalog.add(schema, new, object.kind, object.columns);
    Ok(())
}

fn execute(engine: &Engine, sql: &str) -> Result<(), SqlError> {
    engine.db.execute_batch(sql).map_err(|e| SqlError::from_sqlite(&e, &[]))
}
