-- Inserts, an index, joins, groups, text functions and a recursive query, all in memory.
CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT, city INTEGER, points REAL);
CREATE TABLE city (id INTEGER PRIMARY KEY, name TEXT);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
  INSERT INTO city SELECT i, 'city ' || (i * 37 % 1000) FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
  INSERT INTO person SELECT i, 'person ' || (i * 7919 % 60013), i * 31 % 200 + 1, (i * 48271 % 10007) / 7.0 FROM n;
COMMIT;
CREATE INDEX person_by_name ON person (name);
SELECT city.name, count(*), round(sum(points), 3), max(person.name)
  FROM person JOIN city ON city.id = person.city GROUP BY city.id ORDER BY 3 DESC LIMIT 5;
SELECT count(*), sum(length(a.name)) FROM person a JOIN person b ON b.name = 'person ' || (a.id + 1);
SELECT substr(upper(name), 1, 8) AS beginning, count(*) FROM person WHERE name LIKE '%7%' GROUP BY beginning
  ORDER BY 2 DESC, 1 LIMIT 5;
UPDATE person SET points = points * 1.01 WHERE city % 3 = 0;
DELETE FROM person WHERE id % 5 = 0;
SELECT count(*), round(avg(points), 6), min(name) FROM person WHERE points BETWEEN 100 AND 900;
SELECT name, points, rank() OVER (ORDER BY points DESC, name) FROM person ORDER BY points DESC, name LIMIT 3;
