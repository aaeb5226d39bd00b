"""The matrix: every route and method, and what each kind of caller is answered."""

# Every id in a path is 1: customer 1 is carla, mechanic 1 is ana, and ticket 1 is carla's.
MATRIX = """
method rule                                                                 any carla dave ana bert
GET    /                                                                    200   200  200 200  200
GET    /health                                                              200   200  200 200  200
POST   /customers                                                           201   201  201 201  201
POST   /customers/login                                                     200   200  200 200  200
GET    /customers                                                           401   403  403 200  200
GET    /customers/my-tickets                                                401   200  200 403  403
GET    /customers/<id:customer_id>                                          401   200  403 200  200
PUT    /customers/<id:customer_id>                                          401   200  403 200  200
PATCH  /customers/<id:customer_id>                                          401   200  403 200  200
DELETE /customers/<id:customer_id>                                          401   200  403 200  200
POST   /mechanics                                                           401   403  403 201  201
POST   /mechanics/login                                                     200   200  200 200  200
GET    /mechanics                                                           401   403  403 200  200
GET    /mechanics/profile                                                   401   403  403 200  200
GET    /mechanics/my-tickets                                                401   403  403 200  200
GET    /mechanics/ranking                                                   401   403  403 200  200
GET    /mechanics/<id:mechanic_id>                                          401   403  403 200  200
PUT    /mechanics/<id:mechanic_id>                                          401   403  403 200  403
PATCH  /mechanics/<id:mechanic_id>                                          401   403  403 200  403
DELETE /mechanics/<id:mechanic_id>                                          401   403  403 403  200
POST   /service_tickets                                                     401   403  403 201  201
GET    /service_tickets                                                     401   403  403 200  200
GET    /service_tickets/<id:ticket_id>                                      401   200  404 200  200
PUT    /service_tickets/<id:ticket_id>                                      401   403  403 200  200
PATCH  /service_tickets/<id:ticket_id>                                      401   403  403 200  200
DELETE /service_tickets/<id:ticket_id>                                      401   403  403 200  200
PUT    /service_tickets/<id:ticket_id>/edit                                 401   403  403 200  200
PUT    /service_tickets/<id:ticket_id>/assign-mechanic/<id:mechanic_id>     401   403  403 200  200
PUT    /service_tickets/<id:ticket_id>/remove-mechanic/<id:mechanic_id>     401   403  403 200  200
POST   /ticket_inventory/<id:ticket_id>/assign-inventory/<id:inventory_id>  401   403  403 201  201
DELETE /ticket_inventory/<id:ticket_id>/remove-inventory/<id:inventory_id>  401   403  403 200  200
POST   /inventory                                                           401   403  403 201  201
GET    /inventory                                                           200   200  200 200  200
GET    /inventory/<id:inventory_id>                                         200   200  200 200  200
PUT    /inventory/<id:inventory_id>                                         401   403  403 200  200
PATCH  /inventory/<id:inventory_id>                                         401   403  403 200  200
DELETE /inventory/<id:inventory_id>                                         401   403  403 200  200
"""
PEOPLE = ["anyone", "carla", "dave", "ana", "bert"]
ROWS = {
    (method, rule): dict(zip(PEOPLE, map(int, statuses), strict=True))
    for method, rule, *statuses in map(str.split, MATRIX.strip().splitlines()[1:])
}
ALIASES = {  # a blueprint answers here, too, and lets the same people in
    "/inventory": ["/parts"],
    "/service_tickets": ["/service-tickets"],
    "/ticket_inventory": ["/service_tickets", "/service-tickets"],
}
FIRST_ADDRESS = {rule: rule for _method, rule in ROWS}
for (method, rule), statuses in list(ROWS.items()):
    prefix = "/" + rule.split("/")[1]
    for alias in ALIASES.get(prefix, []):
        ROWS[method, alias + rule.removeprefix(prefix)] = statuses
        FIRST_ADDRESS[alias + rule.removeprefix(prefix)] = rule
