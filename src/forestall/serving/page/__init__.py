"""The pages for maintenance people, served beside the API by the same process."""
