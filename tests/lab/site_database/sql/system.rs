//! The system views (`sys.objects` and its kin), filled from the catalog.

use rusqlite::{Connection, params};

use super::catalog::{Catalog, ObjectKind};

/// Tables of the lab, and the views over them that a client sees. What a session has no right on, it does not see.
const TABLES: &str = r#"
CREATE TABLE "lab.objects" (name nvarchar(128) COLLATE NOCASE, object_id int, schema_id int, parent_object_id int,
    type char(2) COLLATE NOCASE, type_desc nvarchar(60) COLLATE NOCASE, create_date datetime, modify_date datetime,
    is_ms_shipped bit);
CREATE TABLE "lab.columns" (object_id int, name nvarchar(128) COLLATE NOCASE, column_id int, system_type_id tinyint,
    user_type_id int, max_length smallint, precision tinyint, scale tinyint, collation_name nvarchar(128) COLLATE NOCASE,
    is_nullable bit, is_identity bit, is_computed bit);
CREATE TABLE "sys.schemas" (name nvarchar(128) COLLATE NOCASE, schema_id int, principal_id int);
CREATE TABLE "sys.databases" (name nvarchar(128) COLLATE NOCASE, database_id int, create_date datetime,
    compatibility_level tinyint, collation_name nvarchar(128) COLLATE NOCASE, state tinyint,
    state_desc nvarchar(60) COLLATE NOCASE, is_read_only bit);
CREATE VIEW "sys.objects" AS SELECT * FROM "lab.objects" WHERE lab_visible(object_id);
CREATE VIEW "sys.all_objects" AS SELECT * FROM "sys.objects";
CREATE VIEW "sys.tables" AS SELECT * FROM "sys.objects" WHERE type = 'U';
CREATE VIEW "sys.views" AS SELECT * FROM "sys.objects" WHERE type = 'V';
CREATE VIEW "sys.columns" AS SELECT * FROM "lab.columns" WHERE lab_visible(object_id);
CREATE VIEW "sys.all_columns" AS SELECT * FROM "sys.columns";
INSERT INTO "sys.schemas" VALUES ('dbo', 1, 1), ('sys', 4, 4), ('repl', 5, 1);
"#;

/// The names of the views, all in schema `sys`.
pub const VIEWS: &[&str] =
    &["objects", "all_objects", "tables", "views", "columns", "all_columns", "schemas", "databases"];

/// Creates the views, and lists the databases of the server.
pub fn create(db: &Connection, databases: &[String]) -> rusqlite::Result<()> {
    db.execute_batch(TABLES)?;
    for (id, name) in (1_i64..).zip(databases) {
        db.execute(
            r#"INSERT INTO "sys.databases" VALUES (?1, ?2, '2024-01-02T03:04:05', 150, 'SQL_Latin1_General_CP1_CI_AS', 0, 'ONLINE', 0)"#,
            params![name, id],
        )?;
    }
    Ok(())
}

/// Fills the views anew.
pub fn fill(db: &Connection, catalog: &Catalog) -> rusqlite::Result<()> {
    db.execute_batch(r#"DELETE FROM "lab.objects"; DELETE FROM "lab.columns";"#)?;
    let mut objects = db.prepare(
        r#"INSERT INTO "lab.objects" VALUES (?1, ?2, ?3, 0, ?4, ?5, '2024-01-02T03:04:05', '2024-01-02T03:04:05', 0)"#,
    )?;
    let mut columns = db.prepare(r#"INSERT INTO "lab.columns" VALUES (?1, ?2, ?3, ?4, ?4, ?5, 0, 0, ?6, 1, 0, 0)"#)?;
    for object in catalog.objects().filter(|o| !matches!(o.kind, ObjectKind::System)) {
        let schema = if object.schema == "dbo" { 1 } else { 5 };
        objects.execute(params![object.name, object.id, schema, object.type_code(), object.type_description()])?;
        for (number, column) in (1_i64..).zip(&object.columns) {
            let sql_type = column.sql_type;
            let collation = sql_type.is_text().then_some("SQL_Latin1_General_CP1_CI_AS");
            columns.execute(params![
                object.id,
                column.name,
                number,
                sql_type.system_id(),
                sql_type.max_length(),
                collation
            ])?;
        }
    }
    Ok(())
}
