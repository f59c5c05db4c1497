"""The plan: what each variant would be given, what that cuts and costs. Free of torch."""
